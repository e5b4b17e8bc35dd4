import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, type Transaction } from 'kysely';
import type { ClientBase } from 'pg';

type Query = (...parts: unknown[]) => unknown;

// Texts of this program, not of its callers: there are as many as there are statements that are sent this way.
const names = new Map<string, string>();

const nameOf = (text: string): string => {
  const name = names.get(text) ?? `statement ${names.size + 1}`;
  names.set(text, name);
  return name;
};

const hasValues = (parts: unknown[]): parts is [string, unknown[]] =>
  typeof parts[0] === 'string' && Array.isArray(parts[1]) && parts[1].length > 0;

/** Has a connection prepare statements that come with values, each once: it is parsed and planned no more after that. */
export const prepareOnce = (client: ClientBase): void => {
  const query = client.query.bind(client) as Query;
  client.query = ((...parts: unknown[]) => {
    if (!hasValues(parts)) return query(...parts);
    const [text, values, ...rest] = parts;
    return query({ name: nameOf(text), text, values }, ...rest);
  }) as ClientBase['query'];
};

/**
 * Executes a statement of a hot path, with `$1`, `$2`, …, in the transaction of `em`, past the ORM, which would write the values into its
 * text. The text must be always the same: each connection keeps every one with its plan, which has to stay a good one while tables grow.
 * Rows are named by `= any($1::uuid[])`: what is joined to a list alone may be read from end to end. Answers the rows.
 */
export const executePrepared = async <R>(em: EntityManager, text: string, values: readonly unknown[]): Promise<R[]> => {
  const transaction = em.getTransactionContext<Transaction<unknown>>();
  if (!transaction) throw new Error('A prepared statement was executed outside a transaction');
  const { rows } = await transaction.executeQuery<R>(CompiledQuery.raw(text, [...values]));
  return rows;
};
