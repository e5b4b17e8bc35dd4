import { afterAll, beforeAll, expect, test } from 'vitest';
import { findReply, keepReply, newId, transaction } from '../src/index.ts';
import { Item, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const caller = () => ({ tenantId: newId(), actorId: newId() });
type Caller = ReturnType<typeof caller>;
const keyOf = (key: string, fingerprint = 'body-1') => ({ key: `POST /requests ${key}`, fingerprint });

/** A call that makes one item and keeps its reply, as a service does it. */
const call = (who: Caller, key: ReturnType<typeof keyOf>, meanwhile: () => Promise<unknown> = async () => undefined) =>
  transaction(suite.orm.em, who, async (em) => {
    const kept = await findReply(em, who, key);
    if (kept) return { reply: kept.toString(), replayed: true };
    const id = newId();
    em.create(Item, {
      id,
      tenantId: who.tenantId,
      name: id,
      size: 0,
      active: true,
      tags: [],
      createdAt: new Date(),
      endedAt: null,
      group: null,
    });
    await em.flush();
    await meanwhile();
    keepReply(em, who, key, Buffer.from(id), new Date());
    return { reply: id, replayed: false };
  });
const made = (who: Caller) => transaction(suite.orm.em, who, (em) => em.count(Item, {}));

test('when a call is repeated, then the kept reply is answered and nothing happens again', async () => {
  const who = caller();
  const first = await call(who, keyOf('a'));
  expect(first.replayed).toBe(false);
  expect(await call(who, keyOf('a'))).toEqual({ reply: first.reply, replayed: true });
  expect(await made(who)).toBe(1);
});

test('when the key comes with another body, then it is refused', async () => {
  const who = caller();
  await call(who, keyOf('a'));
  await expect(call(who, keyOf('a', 'body-2'))).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', httpStatus: 422 });
  expect(await made(who)).toBe(1);
});

test('when the same call is still running, then it is refused at once, and answered when that has ended', async () => {
  const who = caller();
  let finish: (() => void) | undefined;
  let begun: (() => void) | undefined;
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const first = call(who, keyOf('a'), () => {
    begun?.();
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  await running;
  await expect(call(who, keyOf('a'))).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS', httpStatus: 409 });
  await expect(call(who, keyOf('a', 'body-2'))).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_PROGRESS' });
  // Others do not wait for it.
  expect((await call(who, keyOf('b'))).replayed).toBe(false);
  finish?.();
  const { reply } = await first;
  expect(await call(who, keyOf('a'))).toEqual({ reply, replayed: true });
});

test('when twenty of the same call come at once, then one acts and each answer is that of the one or a refusal', async () => {
  const who = caller();
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => call(who, keyOf('a'))));
  const replies = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.reply] : []));
  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [(answer.reason as { code: string }).code] : []));
  expect(new Set(replies).size).toBe(1);
  expect(refusals.filter((code) => code !== 'IDEMPOTENCY_IN_PROGRESS')).toEqual([]);
  expect(await made(who)).toBe(1);
});

test('when the call fails, then nothing is kept and it may be made again', async () => {
  const who = caller();
  await expect(call(who, keyOf('a'), () => Promise.reject(new Error('crashed')))).rejects.toThrow('crashed');
  expect(await made(who)).toBe(0);
  expect((await call(who, keyOf('a', 'body-2'))).replayed).toBe(false);
});

test('when the process dies between the commit and the answer, then the repeated call is answered and does not act again', async () => {
  const who = caller();
  const lost = await call(who, keyOf('a'));
  const other = await suite.open();
  const again = await transaction(other.em, who, (em) => findReply(em, who, keyOf('a')));
  expect(again?.toString()).toBe(lost.reply);
  expect(await made(who)).toBe(1);
});

test('when the connection breaks before the commit, then nothing has happened and it may be made again', async () => {
  const who = caller();
  const broken = call(who, keyOf('a'), () =>
    suite.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and state = 'idle in transaction'`, [
      suite.service,
    ]),
  );
  await expect(broken).rejects.toThrow(/./);
  expect(await made(who)).toBe(0);
  expect((await call(who, keyOf('a'))).replayed).toBe(false);
});

test('when other people, tenants or calls use the same key, then they do not meet', async () => {
  const [alice, bob] = [caller(), caller()];
  const calls = [call(alice, keyOf('a')), call({ ...alice, actorId: bob.actorId }, keyOf('a', 'x')), call(bob, keyOf('a', 'y'))];
  expect((await Promise.all(calls)).map(({ replayed }) => replayed)).toEqual([false, false, false]);
  expect((await call(alice, { key: 'POST /other a', fingerprint: 'z' })).replayed).toBe(false);
});
