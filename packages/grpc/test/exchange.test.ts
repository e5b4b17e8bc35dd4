import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { patienceMs } from '../../testing/src/patience.ts';
import { until } from '../../testing/src/until.ts';
import { type Suite, startSuite, type TestHandlers } from './suite.ts';

let suite: Suite | undefined;
afterEach(async () => {
  await suite?.close();
  suite = undefined;
});

const megabyte = 1024 * 1024;

/** Answers what it was asked. */
const echo: Partial<TestHandlers> = { listAuditEvents: async (_, { query }) => ({ page: { next: query?.after ?? '' } }) };

const ask = async (after: string): Promise<string> =>
  (await (suite as Suite).client.listAuditEvents({ query: { after } })).page?.next ?? '';

test('when many calls run at once, then each has its own answer', async () => {
  suite = await startSuite(echo);
  const questions = Array.from({ length: 2000 }, (_, index) => `question ${index}`);
  expect(await Promise.all(questions.map(ask))).toEqual(questions);
});

test('when one call takes long, then those that come later do not wait for it', async () => {
  let finish: (() => void) | undefined;
  suite = await startSuite({
    ...echo,
    verifyAuditChain: () =>
      new Promise((resolve) => {
        finish = () => resolve({ ok: true });
      }),
  });
  const slow = suite.client.verifyAuditChain({});
  await until(() => finish);
  expect(await ask('quick')).toBe('quick');
  finish?.();
  expect(await slow).toMatchObject({ ok: true });
});

test('when large calls come at once, then all arrive, and only one that is too large fails', async () => {
  suite = await startSuite(echo);
  const large = Array.from({ length: 8 }, (_, index) => String(index).repeat(megabyte));
  const answers = await Promise.allSettled([...large, 'x'.repeat(5 * megabyte), 'small'].map(ask));
  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.length : answer.reason.code))).toEqual([
    ...large.map(() => megabyte),
    'DEPENDENCY_UNAVAILABLE',
    5,
  ]);
});

test('when an answer is too large, then its call fails and the others go on', async () => {
  suite = await startSuite({
    listAuditEvents: async (_, { query }) => ({ page: { next: query?.after === 'all' ? 'x'.repeat(17 * megabyte) : 'little' } }),
  });
  const [all, little] = await Promise.allSettled([ask('all'), ask('little')]);
  expect(all).toMatchObject({ reason: { code: 'DEPENDENCY_UNAVAILABLE' } });
  expect(little).toMatchObject({ value: 'little' });
});

test('when one caller goes away, then its handler alone is told', async () => {
  const signals = new Map<string, AbortSignal>();
  suite = await startSuite({
    listAuditEvents: async ({ signal }, { query }) => {
      const name = query?.after ?? '';
      signals.set(name, signal);
      if (name === 'leaves') await once(signal, 'abort');
      return { page: { next: name } };
    },
  });
  const abort = new AbortController();
  const { client } = suite;
  const leaving = client
    .listAuditEvents({ query: { after: 'leaves' } }, { signal: abort.signal })
    .catch((error: { code?: string }) => error.code);
  await until(() => signals.get('leaves'));
  expect(await ask('stays')).toBe('stays');
  abort.abort();
  expect(await leaving).toBe('DEPENDENCY_UNAVAILABLE');
  await until(() => signals.get('leaves')?.aborted, { what: 'the handler to be told' });
  expect(signals.get('stays')?.aborted).toBe(false);
});

test('when a server is closed under load, then whatever it has taken on is answered', async () => {
  let taken = 0;
  const running = await startSuite({
    listAuditEvents: async (_, { query }) => {
      taken += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return { page: { next: query?.after ?? '' } };
    },
  });
  suite = running;
  let answered = 0;
  const refused = new Set<unknown>();
  const caller = async () => {
    while (refused.size === 0 || answered === 0) {
      const outcome = await ask('x').catch((error: { code?: string }) => error.code);
      if (outcome === 'x') answered += 1;
      else return refused.add(outcome);
    }
    return refused;
  };
  const callers = Array.from({ length: 50 }, caller);
  await until(() => answered > 500);
  await running.server.close(patienceMs);
  await Promise.all(callers);
  expect([...refused]).toEqual(['DEPENDENCY_UNAVAILABLE']);
  expect(taken).toBe(answered);
});
