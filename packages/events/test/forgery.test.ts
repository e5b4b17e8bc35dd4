import { newId } from '@accessops/db';
import { RequestApprovedSchema, RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import { AckPolicy, headers as natsHeaders, type StreamConfig } from 'nats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Broker, emit, everyType, type Hearing, headersOf, replayDeadLetter, streamOf, subjectOf, unitOfWork } from '../src/index.ts';
import { context, type Suite, silent, startSuite, tenantId, told } from './suite.ts';

let suite: Suite;
let broker: Broker;
beforeEach(async () => {
  suite = await startSuite();
  broker = await suite.own();
});
afterEach(() => suite.close());

/** What looks like an event of the teller, but for the way that it comes. */
const forged = (type: string = RequestProgressedSchema.name) => {
  const payload = toBinary(RequestProgressedSchema, create(RequestProgressedSchema, { requestId: 'forged', status: 'FORGED' }));
  const event = { id: newId(), type, tenantId, aggregateId: 'forged', occurredAt: new Date(), origin: context.origin, payload };
  const headers = natsHeaders();
  for (const [name, value] of Object.entries(headersOf(suite.teller.name, event))) headers.set(name, value);
  return { event, payload, headers };
};
const tellersSubject = (type: string = RequestProgressedSchema.name) => subjectOf(suite.namespace, suite.teller.name, type);
const parked = async (count: number) => {
  await until(async () => (await suite.parked()).length >= count, { what: `${count} parked events` });
  return suite.parked();
};
test('when a service tells what is for another to tell, then it is parked under an id of its own, and not handled when it is replayed', async () => {
  const handled: string[] = [];
  const hearing: Hearing = {
    tellers: { [suite.teller.name]: told, another: [RequestApprovedSchema.name] },
    subscriptions: [{ type: everyType, run: async ({ event }) => void handled.push(event.type) }],
  };
  await suite.send({ aggregateId: 'r-1', status: 'ACTIVE' });
  await suite.listen(undefined, hearing);
  const { event, payload, headers } = forged(RequestApprovedSchema.name);
  await broker.js.publish(tellersSubject(event.type), payload, { headers });
  const [letter] = await parked(1);
  const error = `RequestApproved is for another to tell, not for ${suite.teller.name}`;
  expect(letter).toMatchObject({ event_type: 'RequestApproved', tenant_id: tenantId, error, attempts: 0, status: 'PARKED' });
  // By the id of an event that it was copied from it would take the place of that.
  expect(letter?.event_id).not.toBe(event.id);
  await expect(replayDeadLetter(suite.listener.outbox, hearing, letter?.id as string, context, silent)).rejects.toMatchObject({
    code: 'DEAD_LETTER_FAILED_AGAIN',
  });
  expect(await suite.parked()).toMatchObject([{ error: `Error: ${error}`, status: 'PARKED' }]);
  expect(handled).toEqual(['RequestProgressed']);
});

test('when the headers of an event say something else than its subject, then it is parked', async () => {
  await suite.send({ aggregateId: 'r-0', status: 'ACTIVE' });
  await suite.listen();
  await suite.effects(1);
  const [other, foreign] = [forged(RequestApprovedSchema.name), forged()];
  foreign.headers.set('ce-source', '/another');
  for (const { payload, headers } of [other, foreign]) await broker.js.publish(tellersSubject(), payload, { headers });
  const errors = (await parked(2)).map(({ error }) => String(error)).toSorted();
  expect(errors).toEqual([
    `its source is not ${suite.teller.name}, whose subject it came on`,
    'its type is not RequestProgressed, as its subject says',
  ]);
  expect(await suite.effects(1)).toHaveLength(1);
});

test('when a service emits what is not its to tell, then that fails with all it belongs to', async () => {
  const { outbox, name } = suite.teller;
  const work = unitOfWork(outbox, { tenantId }, async (em) => {
    await em.execute(`insert into effect (aggregate, status) values ('r-1', 'WRITTEN')`);
    emit({ ...context, em }, RequestApprovedSchema, { requestId: 'r-1' }, 'r-1', null);
  });
  await expect(work).rejects.toThrow(`RequestApproved is not for ${name} to tell`);
  expect((await suite.admin.query(`select 1 from ${name}.effect union all select 1 from ${name}.outbox_event`)).rows).toEqual([]);
});

describe('what the server can be made to send to a stream', () => {
  const source = () => subjectOf(suite.namespace, 'attacker');
  const stream = () => streamOf(suite.namespace, 'attacker');
  const attack = (config: Partial<StreamConfig>) => broker.jsm.streams.add({ name: stream(), subjects: [source()], ...config });
  /** Publishes to the attacker's own stream. */
  const tell = async (type?: string, more: Record<string, string> = {}) => {
    const { event, payload, headers } = forged(type);
    for (const [name, value] of Object.entries(more)) headers.append(name, value);
    await broker.js.publish(subjectOf(suite.namespace, 'attacker', event.type), payload, { headers });
  };
  beforeEach(async () => {
    await suite.send({ aggregateId: 'first', status: 'ACTIVE' });
  });
  afterEach(() => broker.jsm.streams.delete(stream()));

  test('when a stream republishes under the subject of a service, then that is parked, also when the headers were there before', async () => {
    await attack({ republish: { src: source(), dest: subjectOf(suite.namespace, suite.teller.name) } });
    await tell();
    await tell(undefined, { 'Nats-Stream': '' });
    await suite.listen();
    expect((await parked(2)).map(({ error }) => error)).toEqual(
      Array.from({ length: 2 }, () => `${suite.teller.name} did not send it: it has the header Nats-Stream`),
    );
  });

  test('when the stream of a service takes from another one, then that is parked', async () => {
    await attack({});
    await tell();
    const { config } = await broker.jsm.streams.info(suite.stream);
    const transform = { src: source(), dest: subjectOf(suite.namespace, suite.teller.name) };
    const sources = [{ name: stream(), subject_transforms: [transform] }];
    await broker.jsm.streams.update(suite.stream, { ...config, sources });
    await suite.listen();
    expect(await parked(1)).toMatchObject([{ error: `${suite.teller.name} did not send it: it has the header Nats-Stream-Source` }]);
  });

  test('when the server answers to the subject of a service, then that is parked', async () => {
    await attack({});
    broker.connection.publish(`$JS.API.STREAM.INFO.${stream()}`, '', { reply: tellersSubject() });
    await suite.listen();
    expect(await parked(1)).toMatchObject([{ error: `its source is not ${suite.teller.name}, whose subject it came on`, headers: {} }]);
  });

  test('when a consumer delivers to the subject of a service, or a stream renames, then nobody hears it', async () => {
    await attack({});
    await broker.jsm.consumers.add(stream(), { durable_name: 'attacker', ack_policy: AckPolicy.None });
    await tell();
    broker.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream()}.attacker`, '1', { reply: tellersSubject() });
    await until(async () => (await broker.jsm.streams.info(suite.stream)).state.messages >= 2, { what: 'the delivered message' });
    const { config } = await broker.jsm.streams.info(stream());
    await broker.jsm.streams.update(stream(), {
      ...config,
      subject_transform: { src: source(), dest: subjectOf(suite.namespace, suite.teller.name) },
    });
    await tell();
    await suite.listen();
    await suite.send({ aggregateId: 'last', status: 'LAST' });
    expect((await suite.effects(2)).map(({ aggregate }) => aggregate)).toEqual(['first', 'last']);
    expect(await suite.parked()).toEqual([]);
  });
});
