import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { beginWithNext } from './begin-with-next.ts';

const recorder = () => {
  const sent: unknown[] = [];
  const client = {
    query: async (...parts: unknown[]) => {
      sent.push(parts.length === 1 ? parts[0] : parts);
      const texts = String(parts[0]).split('; ');
      const results = texts.map((text) => ({ command: text.split(' ')[0] }));
      return results.length > 1 ? results : results[0];
    },
  };
  beginWithNext(client as unknown as ClientBase);
  return { sent, query: client.query };
};

test('when a transaction begins with a plain statement, then both are one message, and the answer is that of the statement', async () => {
  const { sent, query } = recorder();
  expect(await query('begin', [])).toMatchObject({ command: 'BEGIN', rows: [] });
  expect(await query('select 1', [])).toEqual({ command: 'select' });
  await query('commit', []);
  expect(sent).toEqual(['begin; select 1', ['commit', []]]);
});

test('when it begins with one that has values or is prepared, then that follows on its own', async () => {
  const { sent, query } = recorder();
  await query('begin');
  await query('select $1', [1]);
  await query('begin');
  await query({ name: 'one', text: 'select 1' });
  expect(sent).toEqual(['begin', ['select $1', [1]], 'begin', { name: 'one', text: 'select 1' }]);
});

test('when there is no transaction, then statements go as they came', async () => {
  const { sent, query } = recorder();
  const callback = () => {};
  await query('select 1', callback);
  expect(sent).toEqual([['select 1', callback]]);
});
