import type { EntityManager } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { executePrepared } from './prepared.ts';

/** Calls an SQL function of the migrations; answers its rows. */
export type CallFunction = <R>(name: string, values: readonly unknown[]) => Promise<R[]>;

const textOf = (name: string, values: readonly unknown[]) =>
  `select * from ${name}(${values.map((_, index) => `$${index + 1}`).join(', ')})`;

/** As a prepared statement in a transaction of its own: one round trip. */
export const callAlone =
  (pool: Pool): CallFunction =>
  async (name, values) =>
    (await pool.query(textOf(name, values), [...values])).rows;

/** As a part of a transaction. */
export const callWithin =
  (em: EntityManager): CallFunction =>
  (name, values) =>
    executePrepared(em, textOf(name, values), values);
