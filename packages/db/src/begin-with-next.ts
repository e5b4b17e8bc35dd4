import type { ClientBase, QueryResult } from 'pg';

type Query = (...parts: unknown[]) => Promise<QueryResult | QueryResult[]>;

const nothing = { rows: [], rowCount: 0, command: 'BEGIN' };

const isPlainText = (parts: unknown[]): parts is [string, []?] =>
  typeof parts[0] === 'string' && parts.length <= 2 && (parts[1] === undefined || (Array.isArray(parts[1]) && parts[1].length === 0));

/**
 * Has a connection send `begin` in one message with the statement after it. Every transaction begins by saying whose rows it sees: that is
 * one round trip less for each. Should they fail, it is that statement which does, and the transaction is rolled back as ever.
 */
export const beginWithNext = (client: ClientBase): void => {
  const query = client.query.bind(client) as Query;
  let begins = false;
  const sendBoth: Query = async (...parts) => {
    begins = false;
    if (!isPlainText(parts)) {
      await query('begin');
      return query(...parts);
    }
    const results = await query(`begin; ${parts[0]}`);
    return (Array.isArray(results) ? results.at(-1) : results) as QueryResult;
  };
  client.query = ((...parts: unknown[]) => {
    if (parts[0] === 'begin' && isPlainText(parts)) {
      begins = true;
      return Promise.resolve(nothing);
    }
    return begins ? sendBoth(...parts) : query(...parts);
  }) as ClientBase['query'];
};
