import { once } from 'node:events';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { patienceMs } from '../../testing/src/patience.ts';
import { until } from '../../testing/src/until.ts';
import { type CallContext, connect, createHealthProbe, isServing, Metadata } from '../src/index.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite | undefined;
afterEach(async () => {
  await suite?.close();
  suite = undefined;
});

/** A handler that never answers by itself, and what became of its calls. */
const hanging = () => {
  const calls: CallContext[] = [];
  const wait = async (call: CallContext) => {
    calls.push(call);
    if (!call.signal.aborted) await once(call.signal, 'abort');
    throw call.signal.reason;
  };
  return { calls, wait };
};

describe('deadlines', () => {
  test('when the deadline passes, then the caller is told at once and the handler is told to stop', async () => {
    const { calls, wait } = hanging();
    suite = await startSuite({ verifyAuditChain: wait, listAuditEvents: async () => ({}) });
    // So that the time goes by in the handler and not in connecting.
    await suite.client.listAuditEvents({});
    // Made before it, with more time: timers go off in their order, however long the machine stands still.
    const patient = suite.client.verifyAuditChain({}, { deadlineMs: 1000 }).catch(() => 'the patient one');
    const hasty = suite.client.verifyAuditChain({}, { deadlineMs: 400 });
    await expect(Promise.race([patient, hasty])).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    await patient;
    await until(() => calls.length === 2 && calls.every(({ signal }) => signal.aborted), { what: 'the aborts' });
  });

  test('when the caller goes away, then the handler is told to stop', async () => {
    const { calls, wait } = hanging();
    suite = await startSuite({ verifyAuditChain: wait });
    const abort = new AbortController();
    const call = suite.client.verifyAuditChain({}, { signal: abort.signal });
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' }),
      until(() => calls.length > 0).then(() => abort.abort()),
    ]);
    await until(() => calls[0]?.signal.aborted, { what: 'the abort' });
  });

  test('when the caller has gone before the call, then it is not made', async () => {
    const { calls, wait } = hanging();
    suite = await startSuite({ verifyAuditChain: wait, exportAuditEvents: async function* () {} });
    const options = { signal: AbortSignal.abort() };
    await expect(suite.client.verifyAuditChain({}, options)).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    await expect(suite.client.exportAuditEvents({}, options)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'DEPENDENCY_UNAVAILABLE',
    });
    expect(calls).toEqual([]);
  });

  test('when calls end before their signal, then they leave no listener behind', async () => {
    suite = await startSuite({ verifyAuditChain: async () => ({ ok: true }) });
    const { signal } = new AbortController();
    let listeners = 0;
    const counting = new Proxy(signal, {
      get: (target, name) => {
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    for (let call = 0; call < 20; call++) await suite.client.verifyAuditChain({}, { signal: counting });
    expect(listeners).toBe(0);
  });
});

describe('metadata', () => {
  test('when a call carries metadata, then the handler reads it, and the caller the trailer', async () => {
    suite = await startSuite({
      verifyAuditChain: async ({ metadata, trailer, method }) => {
        trailer.set('answer', `${metadata.get('question')[0]} ${method.name}`);
        return { ok: true };
      },
    });
    const metadata = new Metadata();
    metadata.set('question', 'who?');
    const trailers: unknown[] = [];
    await suite.client.verifyAuditChain({}, { metadata, onTrailer: (trailer) => trailers.push(trailer.get('answer')[0]) });
    expect(trailers).toEqual(['who? VerifyAuditChain']);
  });

  test('when many calls run at once and are answered in another order, then each gets its own answer', async () => {
    const wanted = Array.from({ length: 200 }, (_, index) => `page-${index}-ü`);
    const waiting: (() => void)[] = [];
    suite = await startSuite({
      listAuditEvents: async (_, { query }) => {
        await new Promise<void>((resolve) => {
          waiting.unshift(resolve);
          if (waiting.length === wanted.length) for (const answer of waiting) answer();
        });
        return { page: { next: query?.after ?? '' } };
      },
    });
    const { client } = suite;
    const answers = await Promise.all(wanted.map((after) => client.listAuditEvents({ query: { after } })));
    expect(answers.map(({ page }) => page?.next)).toEqual(wanted);
  });
});

describe('streams', () => {
  const items = (size: number) => [{ changesJson: 'x'.repeat(size) }];

  test('when a handler yields, then the caller gets all of it in order', async () => {
    suite = await startSuite({
      exportAuditEvents: async function* () {
        for (let sequence = 1n; sequence <= 1000n; sequence++) yield { items: [{ sequence }] };
      },
    });
    const seen: bigint[] = [];
    for await (const {
      items: [item],
    } of suite.client.exportAuditEvents({}))
      seen.push(item?.sequence ?? 0n);
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => BigInt(index + 1)));
  });

  test('when the reader is slow, then the handler waits for it, and goes on when it reads on', async () => {
    let made = 0;
    const total = 400;
    suite = await startSuite({
      verifyAuditChain: async () => ({ ok: true }),
      exportAuditEvents: async function* () {
        for (; made < total; made++) yield { items: items(100_000) };
      },
    });
    const reading = suite.client.exportAuditEvents({})[Symbol.asyncIterator]();
    await reading.next();
    // Time enough to make them all, were it not for the reader.
    for (let call = 0; call < 50; call++) await suite.client.verifyAuditChain({});
    expect(made).toBeLessThan(100);
    let seen = 1;
    for (let next = await reading.next(); !next.done; next = await reading.next()) seen += 1;
    expect(seen).toBe(total);
  });

  test.each(['while it makes the next', 'while it waits for the reader'])(
    'when the reader goes away %s, then the handler ends and cleans up',
    async (when) => {
      let cleaned = false;
      let made = 0;
      suite = await startSuite({
        exportAuditEvents: async function* ({ signal }) {
          try {
            for (;;) {
              yield { items: items(100_000) };
              made += 1;
              if (when.endsWith('next') && made > 2) await once(signal, 'abort');
            }
          } finally {
            cleaned = true;
          }
        },
      });
      for await (const _ of suite.client.exportAuditEvents({})) {
        await until(() => made > 2);
        break;
      }
      expect(await until(() => cleaned, { what: 'the handler to end' })).toBe(true);
    },
  );

  test('when a handler fails in the middle, then the caller gets what came before and then the error', async () => {
    const { AppError } = await import('@accessops/errors');
    suite = await startSuite({
      exportAuditEvents: async function* () {
        yield { items: items(1) };
        yield { items: items(2) };
        throw new AppError('PERMISSION_DENIED', 'no more');
      },
    });
    let seen = 0;
    const reading = (async () => {
      for await (const _ of suite?.client.exportAuditEvents({}) ?? []) seen += 1;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message: 'no more' });
    expect(seen).toBe(2);
  });

  test('when the deadline passes in a stream, then both sides end', async () => {
    let [begun, ended] = [0, 0];
    suite = await startSuite({
      exportAuditEvents: async function* ({ signal }) {
        begun += 1;
        try {
          yield { items: items(1) };
          await once(signal, 'abort');
        } finally {
          ended += 1;
        }
      },
    });
    const read = async () => {
      for await (const _ of suite?.client.exportAuditEvents({}, { deadlineMs: 1000 }) ?? []);
    };
    // Again where the time has gone by in connecting.
    while (begun === 0) await expect(read()).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    await until(() => ended === begun, { what: 'the handler to end' });
  });
});

describe('a server', () => {
  test('when it serves, stops serving or is not there, then its health says so', async () => {
    suite = await startSuite({});
    const { address, server } = suite;
    expect(await isServing(address, patienceMs)).toBe(true);
    server.setServing(false);
    expect(await isServing(address, patienceMs)).toBe(false);
    server.setServing(true);
    const probe = createHealthProbe(address);
    expect(await probe.isServing(patienceMs)).toBe(true);
    await suite.close();
    suite = undefined;
    expect(await probe.isServing(patienceMs)).toBe(false);
    probe.close();
    expect(await isServing(address, patienceMs)).toBe(false);
  });

  test('when it is closed, then running calls end first', async () => {
    let finish: (() => void) | undefined;
    suite = await startSuite({
      verifyAuditChain: async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return { ok: true };
      },
    });
    const running = suite.client.verifyAuditChain({});
    await until(() => finish);
    const closing = suite.server.close(patienceMs);
    finish?.();
    expect(await running).toMatchObject({ ok: true });
    await closing;
  });

  test('when running calls do not end, then it closes after its grace', async () => {
    const { wait, calls } = hanging();
    suite = await startSuite({ verifyAuditChain: wait });
    const running = suite.client.verifyAuditChain({}).catch((error: unknown) => error);
    await until(() => calls.length > 0);
    await suite.server.close(50);
    expect(await running).toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });

  test('when it goes and comes back, then calls fail at once meanwhile and work again soon', async () => {
    const handlers = { verifyAuditChain: async () => ({ ok: true }) };
    const first = await startSuite(handlers);
    const client = connect(AuditService, first.address);
    expect(await client.verifyAuditChain({})).toMatchObject({ ok: true });
    await first.close();
    // Not by its deadline.
    await expect(client.verifyAuditChain({})).rejects.toMatchObject({
      code: 'DEPENDENCY_UNAVAILABLE',
      cause: { code: status.UNAVAILABLE },
    });
    suite = await startSuite(handlers, {}, first.address);
    expect(await until(() => client.verifyAuditChain({}))).toMatchObject({ ok: true });
    client.close();
  });
});
