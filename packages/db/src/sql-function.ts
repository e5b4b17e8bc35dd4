import type { EntityManager } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';

/** Calls an SQL function of the migrations; answers its rows. */
export type CallFunction = <R>(name: string, values: readonly unknown[]) => Promise<R[]>;

const textOf = (name: string, values: readonly unknown[], placeholder: (index: number) => string) =>
  `select * from ${name}(${values.map((_, index) => placeholder(index)).join(', ')})`;

/** As a prepared statement in a transaction of its own: one round trip. */
export const callAlone =
  (pool: Pool): CallFunction =>
  async (name, values) =>
    (await pool.query({ name, text: textOf(name, values, (index) => `$${index + 1}`), values: [...values] })).rows;

/** As a part of a transaction. */
export const callWithin =
  (em: EntityManager): CallFunction =>
  (name, values) =>
    em.execute(
      textOf(name, values, () => '?'),
      [...values],
    );
