import { until } from '@accessops/testing';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isDatabaseDown, newId, onUnique, poolOf, transaction } from '../src/index.ts';
import { Item, namesSeenBy, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

describe('a deadlock', () => {
  test('when two transactions wait for each other, then the victim is tried again and both have their effect once', async () => {
    const tenantId = newId();
    await suite.insert(tenantId, { name: 'left' }, { name: 'right' });
    const attempts = [0, 0];
    const holding = new Set<number>();
    let bothHold: (() => void) | undefined;
    const met = new Promise<void>((resolve) => {
      bothHold = resolve;
    });
    const bump = (who: number, ...order: string[]) =>
      transaction(suite.orm.em, { tenantId }, async (em) => {
        attempts[who] = (attempts[who] ?? 0) + 1;
        await em.execute('update item set size = size + 1 where name = ?', [order[0]]);
        if (holding.add(who).size === 2) bothHold?.();
        await met;
        await em.execute('update item set size = size + 1 where name = ?', [order[1]]);
      });
    await Promise.all([bump(0, 'left', 'right'), bump(1, 'right', 'left')]);
    expect(attempts.toSorted()).toEqual([1, 2]);
    const items = await transaction(suite.orm.em, { tenantId }, (em) => em.find(Item, {}));
    expect(items.map(({ size }) => size)).toEqual([2, 2]);
  });

  test('when it goes on failing, then it is tried three times and the error is thrown', async () => {
    let attempts = 0;
    const failing = transaction(suite.orm.em, { tenantId: newId() }, async (em) => {
      attempts += 1;
      await em.execute(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
    });
    expect(await caught(failing)).toMatchObject({ code: '40001' });
    expect(attempts).toBe(3);
  });

  test('when the failure is another, then it is tried once', async () => {
    let attempts = 0;
    const failing = transaction(suite.orm.em, { tenantId: newId() }, (em) => {
      attempts += 1;
      return em.execute('select 1 / 0');
    });
    expect(await caught(failing)).toMatchObject({ code: '22012' });
    expect(attempts).toBe(1);
  });
});

test('when work fails after it has written, then nothing of it stays', async () => {
  const tenantId = newId();
  const failing = transaction(suite.orm.em, { tenantId }, async (em) => {
    await em.execute(`insert into item values (?, ?, 'x', 0, true, '{}', now())`, [newId(), tenantId]);
    throw new Error('no');
  });
  expect(await caught(failing)).toEqual(new Error('no'));
  expect(await transaction(suite.orm.em, { tenantId }, namesSeenBy)).toEqual([]);
});

describe('unique indexes', () => {
  test('when one is violated that stands for an error, then that is thrown, with the cause', async () => {
    const tenantId = newId();
    await suite.insert(tenantId, { name: 'same' });
    const again = suite.insert(tenantId, { name: 'same' }).catch(onUnique({ item_name: 'SLUG_TAKEN' }));
    expect(await caught(again)).toMatchObject({ code: 'SLUG_TAKEN', cause: { code: '23505' } });
  });

  test('when eight do the same at once, then one wins', async () => {
    const tenantId = newId();
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => suite.insert(tenantId, { name: 'same' }).catch(onUnique({ item_name: 'SLUG_TAKEN' }))),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(all.flatMap((each) => (each.status === 'rejected' ? [(each.reason as { code: string }).code] : []))).toEqual(
      Array.from({ length: 7 }, () => 'SLUG_TAKEN'),
    );
  });

  test('when another one is violated, or something else fails, then that is thrown unchanged', async () => {
    const tenantId = newId();
    await suite.insert(tenantId, { name: 'same' });
    expect(await caught(suite.insert(tenantId, { name: 'same' }).catch(onUnique({ other: 'SLUG_TAKEN' })))).toMatchObject({
      code: '23505',
    });
    const error = new Error('x');
    expect(await caught(Promise.reject(error).catch(onUnique({ item_name: 'SLUG_TAKEN' })))).toBe(error);
  });
});

describe('a database that is down', () => {
  test('when nobody listens, then that is recognized, and not waited for', async () => {
    const orm = await suite.open({ url: 'postgres://nobody:x@127.0.0.1:1/none' });
    const error = await caught(transaction(orm.em, { tenantId: newId() }, namesSeenBy));
    expect([isDatabaseDown(error), (error as { code?: string }).code]).toEqual([true, 'ECONNREFUSED']);
  });

  const breakIn = (orm: MikroORM, last: (em: EntityManager) => Promise<unknown>) =>
    transaction(orm.em, { tenantId: newId() }, async (em) => {
      const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
      await suite.admin.query('select pg_terminate_backend($1)', [row?.pid]);
      await last(em);
    });

  test('when connections break in transactions, more than the pool has, then that is recognized and none is lost', async () => {
    const orm = await suite.open({ poolSize: 2 });
    const broken = Array.from({ length: 6 }, (_, index) => breakIn(orm, async (em) => index % 2 === 0 && em.execute('select 1')));
    const errors = await Promise.all(broken.map(caught));
    expect(errors.filter((error) => !isDatabaseDown(error))).toEqual([]);
    const after = Array.from({ length: 4 }, () => transaction(orm.em, { tenantId: newId() }, namesSeenBy));
    expect(await Promise.all(after)).toEqual([[], [], [], []]);
  });

  test('when a connection breaks under somebody who took it from the pool, then giving it back does no harm', async () => {
    const orm = await suite.open({ poolSize: 1 });
    const pool = await poolOf(orm);
    const client = await pool.connect();
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await suite.admin.query('select pg_terminate_backend($1)', [(await client.query('select pg_backend_pid() as pid')).rows[0].pid]);
    await ended;
    client.release();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.totalCount).toBe(1);
  });

  test('when all idle connections are ended, then the next transactions work or say that the database is down', async () => {
    const tenants = Array.from({ length: 10 }, newId);
    await Promise.all(tenants.map((tenantId) => transaction(suite.orm.em, { tenantId }, namesSeenBy)));
    await suite.admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [suite.service]);
    const all = await Promise.allSettled(tenants.map((tenantId) => transaction(suite.orm.em, { tenantId }, namesSeenBy)));
    expect(all.flatMap((each) => (each.status === 'rejected' && !isDatabaseDown(each.reason) ? [each.reason] : []))).toEqual([]);
    // One that the server has not ended yet may have been among those that answered.
    expect(await until(() => transaction(suite.orm.em, { tenantId: newId() }, namesSeenBy))).toEqual([]);
  });

  test('when the pool is exhausted, then a crowd queues for a while, and whoever waits too long is told', async () => {
    const [patient, hasty] = [await suite.open({ poolSize: 1 }), await suite.open({ poolSize: 1, connectWithinMs: 300 })];
    const holders = await Promise.all([patient, hasty].map(async (orm) => (await poolOf(orm)).connect()));
    const crowdAt = (orm: MikroORM) => Array.from({ length: 5 }, () => transaction(orm.em, { tenantId: newId() }, namesSeenBy));
    const queued = crowdAt(patient);
    const tooLong = await Promise.all(crowdAt(hasty).map(caught));
    expect(tooLong.filter((error) => !isDatabaseDown(error))).toEqual([]);
    for (const holder of holders) holder.release();
    expect(await Promise.all(queued)).toEqual([[], [], [], [], []]);
  });

  test('when a statement is refused, then the database is not down', async () => {
    const scope = { tenantId: newId() };
    for (const statement of ['select 1 / 0', 'select nonsense', `select 'x'::uuid`, 'truncate item']) {
      expect(isDatabaseDown(await caught(transaction(suite.orm.em, scope, (em) => em.execute(statement))))).toBe(false);
    }
    expect(isDatabaseDown(new Error('anything'))).toBe(false);
    expect(isDatabaseDown(undefined)).toBe(false);
  });
});
