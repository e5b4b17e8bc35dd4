import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { newId } from '@accessops/db';
import { RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { infrastructure, until } from '@accessops/testing';
import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Broker, emit, ensureStream, eventOf, streamOf, unitOfWork } from '../src/index.ts';
import { context, type Suite, startSuite, tenantId } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite();
});
afterEach(() => suite.close());

interface OutboxRow {
  id: string;
  event_id: string;
  aggregate_id: string;
}
const outbox = async () => (await suite.admin.query<OutboxRow>(`select * from ${suite.teller.name}.outbox_event order by id`)).rows;
const sentThrough = async () => {
  const { rows } = await suite.admin.query<{ sent_through: string }>(`select sent_through from ${suite.teller.name}.outbox_stream`);
  return Number(rows[0]?.sent_through ?? 0);
};
const allPublished = () =>
  until(
    async () => {
      const [rows, sent] = [await outbox(), await sentThrough()];
      return rows.every(({ id }) => Number(id) <= sent) && rows;
    },
    { timeoutMs: 20_000, what: 'an outbox that is sent' },
  );
/** A connection in a transaction. */
const begun = async () => {
  const client = await suite.admin.connect();
  suite.beforeClose(() => client.release(true));
  await client.query('begin');
  return client;
};
const relayPids = async () => {
  const { rows } = await suite.admin.query<{ pid: number }>(
    `select distinct a.pid from pg_stat_activity a join pg_locks l on l.pid = a.pid and l.locktype = 'advisory' and l.granted
     where a.application_name = $1`,
    [`${suite.teller.name}-relay`],
  );
  return rows.map(({ pid }) => pid);
};

/** A broker that does something right after the server has taken a message. */
const withAfterPublish = (broker: Broker, after: () => Promise<unknown>): Broker => ({
  ...broker,
  js: new Proxy(broker.js, {
    get: (js, name) =>
      name === 'publish'
        ? async (...args: Parameters<typeof js.publish>) => {
            const acknowledged = await js.publish(...args);
            await after();
            return acknowledged;
          }
        : (Reflect.get(js, name) as unknown),
  }),
});

describe('emitting', () => {
  test('when a change is committed, then its event is in the stream with the attributes of CloudEvents', async () => {
    await suite.startRelay();
    await suite.tell('r-1 ü', 'ACTIVE');
    const [row] = await allPublished();
    const broker = await suite.connect();
    const message = await broker.jsm.streams.getMessage(suite.stream, { seq: 1 });
    expect(message.subject).toBe(`${suite.namespace}.${suite.teller.name}.RequestProgressed`);
    const header = (name: string) => message.header.get(name);
    expect(header('Nats-Msg-Id')).toBe(row?.event_id);
    expect([header('ce-specversion'), header('ce-source'), header('content-type')]).toEqual([
      '1.0',
      `/${suite.teller.name}`,
      'application/protobuf',
    ]);
    expect(eventOf(header, message.data, message.subject, newId)).toMatchObject({
      id: row?.event_id,
      type: 'RequestProgressed',
      tenantId,
      aggregateId: 'r-1 ü',
      origin: context.origin,
    });
    expect(fromBinary(RequestProgressedSchema, message.data)).toMatchObject({
      requestId: 'r-1 ü',
      status: 'ACTIVE',
      change: { action: 'REQUEST_ACTIVE', actor: context.actor, origin: context.origin, changesJson: '{}' },
    });
  });

  test('when the transaction is rolled back, then nothing is told', async () => {
    const failing = unitOfWork(suite.teller.outbox, { tenantId }, async (em) => {
      emit({ ...context, em }, RequestProgressedSchema, { requestId: 'r-1', status: 'ACTIVE' }, 'r-1', null);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await outbox()).toEqual([]);
  });

  test('when something is told outside a unit of work, then that is an error', () => {
    const em = suite.teller.orm.em.fork();
    expect(() => emit({ ...context, em }, RequestProgressedSchema, {}, 'r-1', null)).toThrow('outside a unit of work');
  });

  test('when an event is larger than a message may be, then the change is refused instead of holding up all others', async () => {
    await suite.startRelay();
    const large = suite.tell('r-1', 'x'.repeat(1_100_000));
    await expect(large).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    await suite.tell('r-2', 'ACTIVE', 'x'.repeat(400_000));
    expect(await allPublished()).toHaveLength(2);
  });
});

describe('order', () => {
  test('when many transactions tell of the same things at once, then each is told once and in the order of its commits', async () => {
    await suite.startRelay();
    const aggregates = Array.from({ length: 20 }, (_, index) => `r-${index}`);
    const tellAll = aggregates.map(async (aggregate) => {
      for (let step = 0; step < 15; step++) await suite.tell(aggregate, `STEP_${step}`);
    });
    await Promise.all(tellAll);
    const rows = await allPublished();
    const streamed = await suite.streamed();
    expect(streamed).toHaveLength(300);
    expect(new Set(streamed).size).toBe(300);
    for (const aggregate of aggregates) {
      const told = rows.filter(({ aggregate_id }) => aggregate_id === aggregate).map(({ event_id }) => event_id);
      expect(streamed.filter((id) => told.includes(id))).toEqual(told);
    }
  });

  test('when a transaction with an earlier number commits after a later one, then it is not skipped', async () => {
    await suite.startRelay();
    await suite.tell('first', 'ACTIVE');
    await allPublished();
    const { name } = suite.teller;
    const columns = 'tenant_id, type, aggregate_id, payload, created_at, event_id, headers';
    const slow = await begun();
    await slow.query(
      `insert into ${name}.outbox_event (${columns}) select tenant_id, type, 'slow', payload, created_at, new.id, jsonb_set(headers, '{ce-id}', to_jsonb(new.id))
       from ${name}.outbox_event, gen_random_uuid() as new(id)`,
    );
    await suite.tell('fast', 'ACTIVE');
    await until(async () => (await suite.streamed()).length === 2, { what: 'the later one' });
    await slow.query('commit');
    const rows = await allPublished();
    expect(rows.map(({ aggregate_id }) => aggregate_id)).toEqual(['first', 'slow', 'fast']);
    expect(await suite.streamed()).toEqual([0, 2, 1].map((index) => rows[index]?.event_id));
  });
});

describe('numbers that are missing', () => {
  test('when transactions are rolled back, then what was sent is noted past their numbers, without waiting for ever', async () => {
    await suite.startRelay();
    await suite.tell('r-0', 'ACTIVE');
    await allPublished();
    const failing = unitOfWork(suite.teller.outbox, { tenantId }, async (em) => {
      emit({ ...context, em }, RequestProgressedSchema, { requestId: 'r-1', status: 'ACTIVE' }, 'r-1', null);
      await em.execute(`select nextval(pg_get_serial_sequence('outbox_event', 'id'))`);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await suite.tell('r-2', 'ACTIVE');
    const rows = await allPublished();
    expect(rows.map(({ id }) => id)).toEqual(['1', '3']);
  });

  test('when a transaction keeps its number for long, then nothing is noted past it, and it is sent in the end', async () => {
    const relay = await suite.startRelay();
    await suite.tell('first', 'ACTIVE');
    await allPublished();
    const slow = await begun();
    await slow.query(
      `insert into ${suite.teller.name}.outbox_event (tenant_id, type, aggregate_id, payload, created_at, event_id, headers)
       select $1, 'RequestProgressed', 'slow', '', now(), new.id, jsonb_build_object('ce-id', new.id) from gen_random_uuid() as new(id)`,
      [tenantId],
    );
    await suite.tell('fast', 'ACTIVE');
    await until(async () => (await suite.streamed()).length === 2, { what: 'the later one' });
    // Longer than any gap is looked at: a second, twice.
    const since = performance.now();
    await until(() => Promise.resolve(performance.now() - since > 3000), { timeoutMs: 5000, what: 'three seconds' });
    expect(await sentThrough()).toBe(1);
    // Whoever takes over in between finds it too.
    await relay.close();
    await suite.startRelay();
    await slow.query('commit');
    const rows = await allPublished();
    expect(rows.map(({ aggregate_id }) => aggregate_id)).toEqual(['first', 'slow', 'fast']);
    expect((await suite.streamed()).toSorted()).toEqual(rows.map(({ event_id }) => event_id).toSorted());
  });
});

describe('a relay that dies', () => {
  test('when its connection breaks between publish and mark, then the event is in the stream once and has one effect', async () => {
    let broken = 0;
    const broker = withAfterPublish(await suite.connect(), async () => {
      if (broken++ === 0) await suite.admin.query('select pg_terminate_backend($1)', await relayPids());
    });
    await suite.startRelay({ broker });
    await suite.listen();
    await suite.tell('r-1', 'APPROVED', 'ACTIVE');
    const rows = await allPublished();
    expect(broken).toBeGreaterThan(2);
    expect(await suite.streamed()).toEqual(rows.map(({ event_id }) => event_id));
    await suite.tell('r-2', 'ACTIVE');
    expect((await suite.effects(3)).map(({ status }) => status)).toEqual(['APPROVED', 'ACTIVE', 'ACTIVE']);
  });

  test('when its process is killed between publish and mark, then the next one sends again and nothing is there twice', async () => {
    await ensureStream(await suite.connect(), suite.namespace, suite.teller.name);
    await suite.tell('r-1', 'APPROVED', 'ACTIVE');
    const environment = {
      broker: infrastructure().nats,
      databaseUrl: suite.teller.databaseUrl,
      namespace: suite.namespace,
      service: suite.teller.name,
    };
    const dying = spawn(process.execPath, [new URL('dying-relay.ts', import.meta.url).pathname, JSON.stringify(environment)], {
      stdio: 'ignore',
    });
    onTestFinished(() => void dying.kill('SIGKILL'));
    const [, signal] = (await once(dying, 'close')) as [number, string];
    expect(signal).toBe('SIGKILL');
    expect(await sentThrough()).toBe(0);
    const sent = await suite.streamed();
    expect(sent.length).toBeGreaterThan(0);
    await suite.startRelay();
    await suite.listen();
    const rows = await allPublished();
    expect(await suite.streamed()).toEqual(rows.map(({ event_id }) => event_id));
    expect((await suite.effects(2)).map(({ status }) => status)).toEqual(['APPROVED', 'ACTIVE']);
  });

  test('when it is so long ago that the stream no longer knows the message, then it is there twice and still has one effect', async () => {
    const relay = await suite.startRelay();
    await suite.listen();
    await suite.tell('r-1', 'ACTIVE');
    const [row] = await allPublished();
    await relay.close();
    // The stream forgets message ids after a window: the same event under another id stands for that.
    await suite.send({ id: row?.event_id, aggregateId: 'r-1', status: 'ACTIVE' });
    expect(await suite.streamed()).toEqual([row?.event_id, row?.event_id]);
    await suite.send({ aggregateId: 'r-2', status: 'ACTIVE' });
    expect((await suite.effects(2)).map(({ aggregate }) => aggregate)).toEqual(['r-1', 'r-2']);
  });
});

describe('several instances', () => {
  test('when two run, then one sends, and the other goes on when that one ends or loses its connection', async () => {
    const sent = [0, 0, 0];
    const start = async (index: number) => {
      const broker = withAfterPublish(await suite.connect(), async () => {
        sent[index] = (sent[index] ?? 0) + 1;
      });
      return suite.startRelay({ broker });
    };
    const first = await start(0);
    await until(async () => (await relayPids()).length === 1);
    const second = await start(1);
    for (let step = 0; step < 20; step++) await suite.tell(`r-${step}`, 'ACTIVE');
    await allPublished();
    expect(sent).toEqual([20, 0, 0]);

    await first.close();
    await suite.tell('after-close', 'ACTIVE');
    await allPublished();
    expect(sent).toEqual([20, 1, 0]);

    await start(2);
    const [leader] = await relayPids();
    await suite.admin.query('select pg_terminate_backend($1)', [leader]);
    await suite.tell('after-break', 'ACTIVE');
    const rows = await allPublished();
    expect(sent.reduce((sum, count) => sum + count)).toBe(22);
    expect(await suite.streamed()).toEqual(rows.map(({ event_id }) => event_id));
    await second.close();
  });
});

describe('several listeners', () => {
  test('when two instances of a service listen, then the one that leads handles all, and the other goes on when it ends', async () => {
    const handled: string[] = [];
    const instance = async (name: string) => {
      const relay = await suite.startRelay();
      const consumer = await suite.listen(
        async (ctx) => {
          handled.push(`${name} ${ctx.event.aggregateId}`);
        },
        { isLeader: relay.isLeader },
      );
      return { relay, consumer };
    };
    const first = await instance('first');
    await until(() => Promise.resolve(first.relay.isLeader()), { what: 'a leader' });
    const second = await instance('second');
    for (let step = 0; step < 30; step++) await suite.tell(`r-${step}`, 'ACTIVE');
    await until(() => Promise.resolve(handled.length === 30), { what: 'thirty events' });
    expect(handled.filter((each) => each.startsWith('second'))).toEqual([]);
    expect(second.relay.isLeader()).toBe(false);

    await first.consumer.close();
    await first.relay.close();
    await until(() => Promise.resolve(second.relay.isLeader()), { what: 'the next leader' });
    expect(first.relay.isLeader()).toBe(false);
    await suite.tell('afterwards', 'ACTIVE');
    await until(() => Promise.resolve(handled.at(-1) === 'second afterwards'), { what: 'the event after that' });
    expect(handled).toHaveLength(31);
  });
});

describe('cleaning up', () => {
  test('when events are older than the window and everybody has them, then they go; younger and undelivered ones stay', async () => {
    const { name } = suite.teller;
    const markAt = (sequence: number) =>
      until(
        async () => (await suite.admin.query(`select 1 from ${name}.outbox_mark where stream_sequence = $1`, [sequence])).rowCount === 1,
        {
          what: `a mark at ${sequence}`,
        },
      );
    const relay = await suite.startRelay({ cleanUpEveryMs: 20 });
    const consumer = await suite.listen();
    await suite.tell('delivered-old', 'ACTIVE');
    await suite.effects(1);
    await markAt(1);
    const broker = await suite.connect();
    await until(async () => (await broker.jsm.consumers.info(suite.stream, suite.listener.name)).ack_floor.stream_seq === 1);
    await consumer.close();
    await suite.tell('undelivered-old', 'ACTIVE');
    await markAt(2);
    await relay.close();
    await suite.admin.query(`update ${name}.outbox_mark set made_at = made_at - interval '8 days'`);
    await suite.tell('young', 'ACTIVE');
    await suite.admin.query(`insert into ${name}.inbox_event values ($1, now() - interval '29 days'), ($2, now() - interval '27 days')`, [
      newId(),
      newId(),
    ]);
    await suite.startRelay({ cleanUpEveryMs: 20 });
    await markAt(3);
    const names = () => outbox().then((rows) => rows.map(({ aggregate_id }) => aggregate_id));
    await until(async () => !(await names()).includes('delivered-old'), { what: 'the clean-up' });
    expect(await names()).toEqual(['undelivered-old', 'young']);
    const inbox = () => suite.admin.query(`select * from ${name}.inbox_event`);
    expect(await until(async () => (await inbox()).rows.length === 1)).toBe(true);
  });
});

test('when two namespaces share a server, then their streams do not meet', async () => {
  const broker = await suite.connect();
  await ensureStream(broker, suite.namespace, suite.teller.name);
  await ensureStream(broker, `${suite.namespace}-other`, suite.teller.name);
  expect(streamOf(`${suite.namespace}-other`, suite.teller.name)).not.toBe(suite.stream);
  await suite.send({ aggregateId: 'r-1', status: 'ACTIVE' });
  expect((await broker.jsm.streams.info(streamOf(`${suite.namespace}-other`, suite.teller.name))).state.messages).toBe(0);
});
