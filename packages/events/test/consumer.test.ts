import { PassThrough } from 'node:stream';
import { newId } from '@accessops/db';
import { RequestClosedSchema, RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { createLogger } from '@accessops/telemetry';
import { until } from '@accessops/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Broker,
  type Event,
  type EventContext,
  emit,
  everyType,
  on,
  onTogether,
  replayDeadLetter,
  type Subscription,
} from '../src/index.ts';
import { context, type Suite, silent, startSuite, tenantId, told } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite();
});
afterEach(() => suite.close());

/** Writes down what an event asks for, after `before` has agreed. */
const recordAfter = (before: (ctx: EventContext, status: string) => unknown): Subscription =>
  on(RequestProgressedSchema, async (ctx, event) => {
    await before(ctx, event.status);
    await suite.record(ctx, event);
  });
const statusesOf = async (length: number, aggregateId?: string) => (await suite.effects(length, aggregateId)).map(({ status }) => status);
const allAcknowledged = async () => {
  const broker = await suite.own();
  await until(
    async () => {
      const { num_pending, num_ack_pending } = await broker.jsm.consumers.info(suite.stream, suite.listener.name);
      return num_pending === 0 && num_ack_pending === 0;
    },
    { what: 'all acknowledged' },
  );
};
/** Without its consumer the listener makes a new one, which is handed everything again. */
const deliverAllAgain = async () => {
  const broker = await suite.own();
  await broker.jsm.consumers.delete(suite.stream, suite.listener.name);
};
/** An event behind which everything that was sent before has been handled. */
const settle = async () => {
  const aggregateId = newId();
  await suite.send({ aggregateId, status: 'LAST' });
  await suite.effects(1, aggregateId);
  await allAcknowledged();
};

describe('deliveries', () => {
  beforeEach(async () => {
    await suite.startRelay();
  });

  test('when events are of types that nobody reacts to, then they are not delivered, until somebody does', async () => {
    const deaf = await suite.listen(undefined, { subscriptions: [on(RequestClosedSchema, async () => undefined)] });
    await suite.tell('r-1', 'ACTIVE');
    const broker = await suite.own();
    const heard = () => broker.jsm.consumers.info(suite.stream, suite.listener.name);
    await until(async () => (await broker.jsm.streams.info(suite.stream)).state.messages === 1, { what: 'an event in the stream' });
    const { num_pending, delivered } = await until(heard, { what: 'a consumer' });
    expect([num_pending, delivered.consumer_seq]).toEqual([0, 0]);
    await deaf.close();
    await suite.listen();
    await suite.tell('r-2', 'ACTIVE');
    expect(await suite.effects(1, 'r-2')).toHaveLength(1);
  });

  test('when an event is told, then it has its effect, with the tenant, actor, origin and time of its reaction', async () => {
    const seen: EventContext[] = [];
    const now = new Date('2026-11-21T10:00:00Z');
    await suite.listen(recordAfter((ctx) => seen.push(ctx)).run, { now: () => now });
    await suite.tell('r-1', 'ACTIVE');
    expect(await statusesOf(1)).toEqual(['ACTIVE']);
    expect(seen).toMatchObject([
      {
        tenantId,
        actor: { id: suite.listener.name, type: 'system' },
        origin: context.origin,
        event: { aggregateId: 'r-1', type: 'RequestProgressed' },
      },
    ]);
    expect(seen[0]?.now()).toBe(now);
  });

  test('when an event lies in the stream several times, also next to itself, then it has one effect', async () => {
    const id = newId();
    for (let copy = 0; copy < 5; copy++) await suite.send({ id, aggregateId: 'r-1', status: 'ACTIVE' });
    await suite.listen();
    await suite.send({ id, aggregateId: 'r-1', status: 'ACTIVE' });
    await settle();
    expect(await suite.effects(1, 'r-1')).toHaveLength(1);
  });

  test('when everything is delivered again, after a week too, then nothing happens again', async () => {
    await suite.listen();
    await suite.tell('r-1', 'APPROVED', 'ACTIVE');
    await statusesOf(2);
    await allAcknowledged();
    await suite.admin.query(`update ${suite.listener.name}.inbox_event set processed_at = processed_at - interval '7 days 1 hour'`);
    await deliverAllAgain();
    await settle();
    expect(await suite.effects(2, 'r-1')).toHaveLength(2);
  });

  test('when the process ends after the commit and before the acknowledgement, then the event comes again without effect', async () => {
    const broker = await suite.connect();
    const deaf: Broker = {
      ...broker,
      js: new Proxy(broker.js, {
        get: (js, name) => {
          if (name !== 'consumers') return Reflect.get(js, name) as unknown;
          return {
            get: async (stream: string, durable: string) => {
              const consumer = await js.consumers.get(stream, durable);
              return {
                consume: (options: { callback: (message: object) => void }) =>
                  consumer.consume({
                    ...options,
                    callback: (message) =>
                      options.callback(
                        new Proxy(message, { get: (target, key) => (key === 'ack' ? () => undefined : Reflect.get(target, key, target)) }),
                      ),
                  }),
              };
            },
          };
        },
      }),
    };
    const dying = await suite.listen(undefined, { broker: deaf });
    await suite.tell('r-1', 'ACTIVE');
    await statusesOf(1);
    await dying.close();
    expect((await broker.jsm.consumers.info(suite.stream, suite.listener.name)).ack_floor.stream_seq).toBe(0);
    await deliverAllAgain();
    await suite.listen();
    await settle();
    expect(await suite.effects(1, 'r-1')).toHaveLength(1);
  });

  test('when events come in another order, then each has its one effect', async () => {
    await suite.send({ aggregateId: 'r-1', status: 'ACTIVE', occurredAt: new Date('2026-11-21T10:00:02Z') });
    await suite.send({ aggregateId: 'r-1', status: 'PROVISIONING', occurredAt: new Date('2026-11-21T10:00:01Z') });
    await suite.send({ aggregateId: 'r-1', status: 'APPROVED', occurredAt: new Date('2026-11-14T10:00:00Z') });
    await suite.listen();
    expect(await statusesOf(3)).toEqual(['ACTIVE', 'PROVISIONING', 'APPROVED']);
    await settle();
    expect(await suite.effects(3, 'r-1')).toHaveLength(3);
  });

  test('when two instances listen, then each event is handled once', async () => {
    await suite.listen();
    await suite.listen();
    const aggregates = Array.from({ length: 10 }, (_, index) => `r-${index}`);
    await Promise.all(aggregates.map((aggregate) => suite.tell(aggregate, ...Array.from({ length: 20 }, (_, step) => `STEP_${step}`))));
    const effects = await suite.effects(200);
    await settle();
    expect(new Set(effects.map(({ event_id }) => event_id)).size).toBe(200);
    expect((await suite.effects(201)).length).toBe(201);
  });

  test('when an event is of a type nobody reacts to, then it is passed over', async () => {
    const handled: string[] = [];
    const other: Subscription = { type: 'GrantEnded', run: async ({ event }) => void handled.push(event.type) };
    await suite.listen(undefined, { subscriptions: [other] });
    await suite.tell('r-1', 'ACTIVE');
    await until(async () => (await suite.streamed()).length === 1);
    await allAcknowledged();
    expect(handled).toEqual([]);
    expect(await suite.parked()).toEqual([]);
  });

  test('when the stream is made after the listener has started, then it listens to it soon', async () => {
    const late = await startSuite();
    onTestFinished(() => late.close());
    await late.listen();
    await late.startRelay();
    await late.tell('r-1', 'ACTIVE');
    expect(await late.effects(1)).toHaveLength(1);
  });

  test('when many are taken together, then a batch holds the events of one tenant, in order and without duplicates', async () => {
    const id = newId();
    const other = newId();
    for (let copy = 0; copy < 3; copy++) await suite.send({ id, aggregateId: 'twice', status: 'x' });
    const foreign = [await suite.send({ tenantId: other, aggregateId: 'r-2', status: 'x' })];
    await suite.tell('r-1', ...Array.from({ length: 150 }, (_, step) => `STEP_${step}`));
    await until(async () => (await suite.streamed()).length === 154);
    foreign.push(await suite.send({ tenantId: other, aggregateId: 'r-2', status: 'y' }));
    const batches: Event[][] = [];
    await suite.listen(undefined, {
      subscriptions: onTogether([everyType], async (contexts) => {
        const events = contexts.map(({ event }) => event);
        const em = contexts[0]?.em;
        expect(await em?.execute(`select current_setting('app.tenant_id') as tenant`)).toEqual([{ tenant: events[0]?.tenantId }]);
        batches.push(events);
      }),
    });
    await until(() => batches.flat().length >= 153);
    await allAcknowledged();
    const idsOf = (tenant: string) => batches.flat().flatMap((event) => (event.tenantId === tenant ? [event.id] : []));
    expect(idsOf(other)).toEqual(foreign);
    expect(idsOf(tenantId)).toEqual([...new Set(await suite.streamed())].filter((each) => !foreign.includes(each)));
    expect(batches.filter((events) => new Set(events.map((event) => event.tenantId)).size > 1)).toEqual([]);
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(200);
  });
});

describe('failures', () => {
  test('when handling fails for a while, then it is tried again with growing pauses, has one effect, and nothing is parked', async () => {
    const attempts: number[] = [];
    const flaky = recordAfter(() => {
      attempts.push(performance.now());
      // The first attempt is the one of the batch.
      if (attempts.length < 4) throw new Error('not yet');
    });
    await suite.listen(flaky.run, { backOffMs: [20, 80, 320] });
    await suite.send({ aggregateId: 'r-1', status: 'ACTIVE' });
    expect(await statusesOf(1)).toEqual(['ACTIVE']);
    const pauses = attempts.slice(1).map((time, index) => time - (attempts[index] ?? 0));
    expect(pauses[1]).toBeGreaterThanOrEqual(9);
    expect(pauses[2]).toBeGreaterThanOrEqual(39);
    expect(await suite.parked()).toEqual([]);
  });

  test('when an event is poisonous, then it is parked with its error after the last attempt, once', async () => {
    let attempts = 0;
    const failing = recordAfter((_, status) => {
      if (status !== 'POISON') return;
      attempts += 1;
      throw new TypeError(`cannot do ${status}`);
    });
    const reported: [error: unknown, about: Record<string, unknown>][] = [];
    const log = createLogger('test', 'error', new PassThrough().resume(), (error, about) => reported.push([error, about]));
    await suite.listen(failing.run, { log });
    const id = await suite.send({ aggregateId: 'r-1', status: 'POISON' });
    await suite.send({ id, aggregateId: 'r-1', status: 'POISON' });
    await settle();
    expect(reported).toMatchObject([
      [
        { message: 'cannot do POISON' },
        { event: 'RequestProgressed', event_id: id, tenant: tenantId, request_id: context.origin.requestId },
      ],
    ]);
    expect(attempts).toBe(1 + 4);
    expect(await suite.parked()).toMatchObject([
      {
        event_id: id,
        tenant_id: tenantId,
        event_type: 'RequestProgressed',
        error: 'TypeError: cannot do POISON',
        attempts: 4,
        status: 'PARKED',
      },
    ]);
    await deliverAllAgain();
    await settle();
    expect(await suite.parked()).toHaveLength(1);
    expect(attempts).toBe(5);
  });

  test('when an event is poisonous, then others that came with it and after it do not wait, and later ones of its own thing do', async () => {
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    suite.beforeClose(held.resolve);
    const failing = recordAfter(async ({ event }, status) => {
      if (status === 'POISON') {
        order.push('attempt');
        if (order.filter((each) => each === 'attempt').length > 1) await held.promise;
        throw new Error('poison');
      }
      if (event.aggregateId === 'bad') order.push(status);
    });
    await suite.send({ aggregateId: 'good-before', status: 'x' });
    await suite.send({ aggregateId: 'bad', status: 'POISON' });
    await suite.send({ aggregateId: 'bad', status: 'AFTER_1' });
    await suite.send({ aggregateId: 'good-with', status: 'x' });
    await suite.listen(failing.run);
    await suite.effects(2);
    await suite.send({ aggregateId: 'bad', status: 'AFTER_2' });
    for (let index = 0; index < 30; index++) await suite.send({ aggregateId: `good-after-${index}`, status: 'x' });
    const meanwhile = await suite.effects(32);
    expect(meanwhile.filter(({ aggregate }) => aggregate === 'bad')).toEqual([]);
    expect(await suite.parked()).toEqual([]);
    held.resolve();
    expect(await statusesOf(2, 'bad')).toEqual(['AFTER_1', 'AFTER_2']);
    expect(order.filter((each) => each !== 'attempt')).toEqual(['AFTER_1', 'AFTER_2']);
    expect(await suite.parked()).toHaveLength(1);
  });

  test('when a message is no message at all, then it is parked', async () => {
    await suite.listen();
    await suite.send({ aggregateId: 'r-1', status: '', payload: Buffer.from('\xff\xff nonsense') });
    await settle();
    expect(await suite.parked()).toMatchObject([{ attempts: 4 }]);
  });

  test('when handling fails after it has written and told, then nothing of it stays', async () => {
    const failing = recordAfter(async (ctx, status) => {
      if (status !== 'POISON') return;
      emit(ctx, RequestProgressedSchema, { requestId: 'r-1', status: 'TOLD' }, 'r-1', null);
      await ctx.em.execute(`insert into effect (aggregate, status) values ('r-1', 'WRITTEN')`);
      throw new Error('no');
    });
    await suite.listen(failing.run);
    await suite.send({ aggregateId: 'r-1', status: 'POISON' });
    await settle();
    expect(await suite.parked()).toHaveLength(1);
    expect((await suite.admin.query(`select * from ${suite.listener.name}.effect where aggregate = 'r-1'`)).rows).toEqual([]);
    expect((await suite.admin.query(`select * from ${suite.listener.name}.outbox_event`)).rows).toEqual([]);
  });

  test('when the database breaks off while events are handled, then they are tried until it is back and none is parked', async () => {
    let broken = 0;
    const breaking = recordAfter(async ({ em }) => {
      if (broken++ >= 8) return;
      const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
      await suite.admin.query('select pg_terminate_backend($1)', [row?.pid]);
    });
    await suite.listen(breaking.run, { backOffMs: [5] });
    const ids = [await suite.send({ aggregateId: 'r-1', status: 'ACTIVE' }), await suite.send({ aggregateId: 'r-2', status: 'ACTIVE' })];
    expect((await suite.effects(2)).map(({ event_id }) => event_id).toSorted()).toEqual(ids.toSorted());
    expect(await suite.parked()).toEqual([]);
  });

  test('when the listener is closed while an event keeps failing, then it does not wait, and the next one handles it at once', async () => {
    let attempts = 0;
    const failing = recordAfter(() => {
      attempts += 1;
      throw new Error('no');
    });
    // Longer than this test may take.
    const consumer = await suite.listen(failing.run, { backOffMs: [600_000] });
    await suite.send({ aggregateId: 'r-1', status: 'A' });
    await suite.send({ aggregateId: 'r-1', status: 'B' });
    await until(() => attempts >= 2);
    await consumer.close();
    const attemptsThen = attempts;
    await suite.listen();
    // The stream waits 30 s for somebody who has said nothing.
    await until(async () => (await suite.effects(0)).length === 2, { timeoutMs: 20_000, what: 'both events' });
    expect((await statusesOf(2)).toSorted()).toEqual(['A', 'B']);
    expect(attempts).toBe(attemptsThen);
  });
});

describe('replay', () => {
  let healed: boolean;
  let failing: Subscription;
  beforeEach(async () => {
    healed = false;
    failing = recordAfter((_, status) => {
      if (status === 'POISON' && !healed) throw new Error('not healed');
    });
    await suite.listen(failing.run);
    await suite.send({ aggregateId: 'r-1', status: 'POISON' });
    await until(async () => (await suite.parked()).length === 1);
  });
  const replay = async (id?: string) => {
    const [letter] = await suite.parked();
    return replayDeadLetter(
      suite.listener.outbox,
      { tellers: { [suite.teller.name]: told }, subscriptions: [failing] },
      id ?? (letter?.id as string),
      context,
      silent,
    );
  };
  const toldAgain = async () => (await suite.admin.query<{ type: string }>(`select type from ${suite.listener.name}.outbox_event`)).rows;

  test('when a parked event is replayed, then it has its effect, once, and that is told', async () => {
    healed = true;
    expect(await replay()).toMatchObject({ status: 'REPLAYED' });
    await expect(replay()).rejects.toMatchObject({ code: 'DEAD_LETTER_REPLAYED' });
    expect(await suite.parked()).toMatchObject([{ status: 'REPLAYED', replayed_at: expect.any(Date) }]);
    expect(await suite.effects(1, 'r-1')).toMatchObject([{ status: 'POISON' }]);
    expect(await toldAgain()).toEqual([{ type: 'DeadLetterReplayed' }]);
    await deliverAllAgain();
    await settle();
    expect(await suite.effects(1, 'r-1')).toHaveLength(1);
  });

  test('when it fails again, then it stays parked and nothing is told', async () => {
    const [{ attempts } = {}] = await suite.parked();
    await expect(replay()).rejects.toMatchObject({ code: 'DEAD_LETTER_FAILED_AGAIN' });
    expect(await suite.parked()).toMatchObject([
      { status: 'PARKED', replayed_at: null, attempts: Number(attempts) + 1, error: expect.stringContaining('not healed') },
    ]);
    expect(await toldAgain()).toEqual([]);
  });

  test('when several replay it at once, then it has one effect', async () => {
    healed = true;
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => replay()));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await suite.effects(1, 'r-1')).toHaveLength(1);
  });

  test('when there is no such dead letter, then that is said', async () => {
    await expect(replay(newId())).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND' });
  });
});
