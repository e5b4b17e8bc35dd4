import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Broker } from '../src/index.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite();
});
afterEach(() => suite.close());

const handled = async () => (await suite.effects(0)).map(({ aggregate }) => aggregate);

const sent = (count: number) => until(async () => (await suite.streamed()).length === count, { what: `${count} events in the stream` });

/** What a restore leaves of both databases: the first event, told, and not handled yet. NATS knows nothing of it. */
const restore = async () => {
  const { admin, teller, listener } = suite;
  await admin.query(`delete from ${teller.name}.outbox_event where id > (select min(id) from ${teller.name}.outbox_event)`);
  await admin.query(`update ${teller.name}.outbox_stream set sent_through = (select min(id) from ${teller.name}.outbox_event)`);
  await admin.query(`truncate ${listener.name}.effect, ${listener.name}.inbox_event`);
};

const recover = async () => {
  const id = newId();
  for (const { name } of [suite.teller, suite.listener]) await suite.admin.query(`insert into ${name}.recovery values ($1, now())`, [id]);
};

/** Whoever has this connection has had ten answers more. */
const looksAt = async ({ connection }: Broker) => {
  const before = connection.stats().inMsgs;
  await until(() => connection.stats().inMsgs >= before + 10, { what: 'ten more looks' });
};

/** Both have run, and have told and handled two events; then the second never happened, and the first is to be handled again. */
const loseTheSecond = async () => {
  const [relay, consumer] = [await suite.startRelay(), await suite.listen()];
  await suite.tell('first', 'ACTIVE');
  await suite.tell('second', 'ACTIVE');
  await suite.effects(2);
  await sent(2);
  await relay.close();
  await consumer.close();
  await restore();
};

test('when a database was restored and goes on as another line, then what happened before is told again, and what did not happen is not', async () => {
  await loseTheSecond();
  await recover();
  await suite.startRelay();
  await suite.listen();
  await suite.tell('third', 'ACTIVE');
  await suite.effects(2);
  await sent(2);
  expect(await handled()).toEqual(['first', 'third']);
});

test('when a listener starts first, then it waits until the stream is of its own line', async () => {
  await loseTheSecond();
  await recover();
  const broker = await suite.connect();
  await suite.listen(undefined, { broker });
  await looksAt(broker);
  // Its consumer stays as it was left: nobody asks it for anything.
  const { jsm } = await suite.own();
  expect(await jsm.consumers.info(suite.stream, suite.listener.name)).toMatchObject({ num_waiting: 0 });
  expect(await handled()).toEqual([]);
  await suite.startRelay();
  expect((await suite.effects(1)).map(({ aggregate }) => aggregate)).toEqual(['first']);
});

test('when nobody has said that it was restored, then it tells nothing until somebody has', async () => {
  await loseTheSecond();
  const broker = await suite.connect();
  const relay = await suite.startRelay({ broker });
  await suite.listen();
  await suite.tell('third', 'ACTIVE');
  await looksAt(broker);
  expect(relay.isLeader()).toBe(false);
  expect(await suite.streamed()).toHaveLength(2);
  await recover();
  await suite.effects(2);
  expect(await handled()).toEqual(['first', 'third']);
});

test('when the last events of a stream are those of its database, then it goes on where it was', async () => {
  const first = await suite.startRelay();
  await suite.listen();
  await suite.tell('first', 'ACTIVE');
  await suite.effects(1);
  await first.close();
  const { created } = await (await suite.own()).jsm.streams.info(suite.stream);
  await suite.startRelay();
  await suite.tell('second', 'ACTIVE');
  await suite.effects(2);
  expect((await (await suite.own()).jsm.streams.info(suite.stream)).created).toBe(created);
});
