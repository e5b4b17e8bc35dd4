import { createDatabase, type TestDatabase } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClock } from '../src/index.ts';

const hours = 3_600_000;

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase([]);
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 1 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A clock as it begins on a machine whose own is wrong by so much. */
const wrongBy = (ms: number, query: Pick<pg.Pool, 'query'> = pool) => {
  const spy = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + ms);
  const clock = createClock(query);
  spy.mockRestore();
  return clock;
};

test.each([2 * hours, -2 * hours, 24 * hours])(
  'when the machine is wrong by %d ms, then the time is that of the database',
  async (wrong) => {
    const clock = wrongBy(wrong);
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeGreaterThan(hours);
    const before = Date.now();
    await clock.look();
    // The database of the tests is on this machine; its answer counts whole microseconds.
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(clock.now().getTime()).toBeLessThanOrEqual(Date.now() + (Date.now() - before) + 1);
  },
);

test('when the machine is right, then looking changes nothing, however long the answer takes', async () => {
  const slow = {
    query: async (sql: string) => {
      await pool.query('select pg_sleep(0.2)');
      const answer = await pool.query(sql);
      await pool.query('select pg_sleep(0.2)');
      return answer;
    },
  } as unknown as Pick<pg.Pool, 'query'>;
  const clock = wrongBy(0, slow);
  const before = clock.now().getTime() - performance.now();
  await clock.look();
  expect(Math.abs(clock.now().getTime() - performance.now() - before)).toBeLessThan(2);
});

test('when the database does not answer, then that is told, and the time goes on', async () => {
  const gone = new pg.Pool({ host: '127.0.0.1', port: 1 });
  const clock = wrongBy(0, gone);
  const before = clock.now();
  await expect(clock.look()).rejects.toThrow();
  expect(clock.now() >= before).toBe(true);
  await gone.end();
});
