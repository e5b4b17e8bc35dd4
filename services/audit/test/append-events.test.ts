import { newId } from '@accessops/db';
import { services, streamOf } from '@accessops/events';
import { AnyEventSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Row, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ backOffMs: [10, 10] });
});
afterAll(() => suite.close());

const numbers = (rows: Row[]) => rows.map(({ sequence }) => Number(sequence));
const upTo = (length: number) => Array.from({ length }, (_, index) => index + 1);
const verified = async (tenantId: string) => suite.client.verifyAuditChain({}, await suite.as(auditorOf(tenantId)));

test('when a service tells of a change, then the log says who did what to what, when, from where and within which call', async () => {
  const tenantId = newId();
  const event = changeOf(
    tenantId,
    {
      action: 'REQUEST_CANCELLED',
      entityType: 'REQUEST',
      entityId: 'r-1',
      actor: { id: 'u-1', type: 'user', email: 'requester@acme.test' },
      origin: { requestId: 'call-1', ip: '2001:db8::1', userAgent: 'curl/8.5 “ü”' },
      changesJson: '{ "status": {"before":"PENDING", "after":"CANCELLED"}, "note": {"after":"it\'s \\\\ \\u0000"} }',
    },
    { occurredAt: new Date('2026-11-20T10:11:12.345Z') },
  );
  await suite.publish('requests', event);
  const [row] = await suite.log(tenantId, 1);
  expect(row).toMatchObject({
    tenant_id: tenantId,
    id: event.id,
    sequence: '1',
    occurred_at: new Date('2026-11-20T10:11:12.345Z'),
    actor_id: 'u-1',
    actor_type: 'user',
    actor_email: 'requester@acme.test',
    action: 'REQUEST_CANCELLED',
    entity_type: 'REQUEST',
    entity_id: 'r-1',
    changes: '{"note":{"after":"it\'s \\\\ \\u0000"},"status":{"after":"CANCELLED","before":"PENDING"}}',
    ip: '2001:db8::1',
    user_agent: 'curl/8.5 “ü”',
    request_id: 'call-1',
    prev_hash: Buffer.alloc(32),
  });
});

test('when a service tells what is for another to tell, then it is no part of the log, and kept with its reason', async () => {
  const tenantId = newId();
  const forged = changeOf(tenantId, {}, { type: 'RequestApproved' });
  await suite.publish('identity', forged);
  await suite.publish('identity', changeOf(tenantId, { entityId: 'after' }));
  expect(await suite.log(tenantId, 1)).toMatchObject([{ entity_id: 'after' }]);
  const parked = () => suite.admin.query('select event_id, event_type, error, status from dead_letter where tenant_id = $1', [tenantId]);
  const { rows } = await until(async () => {
    const found = await parked();
    return found.rowCount && found;
  });
  expect(rows).toMatchObject([
    { event_type: 'RequestApproved', error: 'RequestApproved is for requests to tell, not for identity', status: 'PARKED' },
  ]);
  // Under its own id it would take the place of the event that it was copied from.
  expect(rows[0].event_id).not.toBe(forged.id);
  await suite.publish('requests', forged);
  expect(await suite.log(tenantId, 2)).toHaveLength(2);
});

test('when all five services tell of changes at once, then the numbers of the tenant have no gap and the chain holds', async () => {
  const tenantId = newId();
  const told = services.map((producer) => ({
    producer,
    events: Array.from({ length: 300 }, (_, index) => changeOf(tenantId, { entityId: producer, action: `STEP_${index}` })),
  }));
  await Promise.all(told.map(({ producer, events }) => suite.publish(producer, ...events)));
  const rows = await suite.log(tenantId, 1500);
  expect(numbers(rows)).toEqual(upTo(1500));
  for (const { producer, events } of told) {
    expect(rows.filter((row) => row.entity_id === producer).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  }
  expect(await verified(tenantId)).toMatchObject({ ok: true, events: 1500n, head: rows.at(-1)?.hash.toString('hex') });
});

test('when events are sent twice and whole streams are delivered again, then each stands in the log once', async () => {
  const tenantId = newId();
  const events = Array.from({ length: 250 }, () => changeOf(tenantId));
  await suite.publish('identity', ...events, ...events.slice(0, 100));
  await suite.publish('approvals', ...events.slice(50, 60));
  await suite.log(tenantId, 250);
  // Without its consumer the service makes a new one, which starts at the beginning.
  await suite.broker.jsm.consumers.delete(streamOf(suite.namespace, 'identity'), 'audit');
  const last = changeOf(tenantId);
  await suite.publish('identity', last);
  const rows = await suite.log(tenantId, 251);
  expect(rows.map(({ id }) => id).sort()).toEqual([...events, last].map(({ id }) => id).sort());
  expect(numbers(rows)).toEqual(upTo(251));
  await until(async () => {
    const { num_pending, num_ack_pending } = await suite.broker.jsm.consumers.info(streamOf(suite.namespace, 'identity'), 'audit');
    return num_pending === 0 && num_ack_pending === 0;
  });
  expect(await suite.log(tenantId, 251)).toHaveLength(251);
});

test('when two instances append to one chain, then it has no gap', async () => {
  const other = await suite.startAnother();
  const tenantId = newId();
  const sent = services.map((producer) => suite.publish(producer, ...Array.from({ length: 200 }, () => changeOf(tenantId))));
  await Promise.all(sent);
  expect(numbers(await suite.log(tenantId, 1000))).toEqual(upTo(1000));
  expect(await verified(tenantId)).toMatchObject({ ok: true, events: 1000n });
  await other.close();
});

test('when an event changes no state, then nothing is recorded', async () => {
  const tenantId = newId();
  const silent = changeOf(tenantId, {}, { payload: toBinary(AnyEventSchema, create(AnyEventSchema, {})) });
  await suite.publish('approvals', silent, changeOf(tenantId));
  await suite.publish('approvals', silent, changeOf(tenantId));
  expect(numbers(await suite.log(tenantId, 2))).toEqual([1, 2]);
});

test('when an event cannot be understood, then it is parked with its error and the others are recorded', async () => {
  const tenantId = newId();
  const poison = [
    changeOf(tenantId, {}, { payload: Buffer.from('not a message') }),
    changeOf(tenantId, { changesJson: '{"status":' }),
    changeOf(tenantId, { changesJson: '[1]' }),
  ];
  await suite.publish('provisioner', changeOf(tenantId), ...poison, changeOf(tenantId));
  expect(numbers(await suite.log(tenantId, 2))).toEqual([1, 2]);
  const parked = await until(async () => {
    const { rows } = await suite.admin.query('select event_id, error, attempts, status from dead_letter where tenant_id = $1', [tenantId]);
    return rows.length === poison.length && rows;
  });
  expect(parked.map(({ event_id }) => event_id).sort()).toEqual(poison.map(({ id }) => id).sort());
  expect(parked.every(({ attempts, status, error }) => attempts === 3 && status === 'PARKED' && error.length > 0)).toBe(true);
  expect(await verified(tenantId)).toMatchObject({ ok: true, events: 2n });
});

test('when a text holds a NUL character, which PostgreSQL cannot keep, then the change is recorded all the same', async () => {
  const tenantId = newId();
  await suite.publish('requests', changeOf(tenantId, { entityId: 'a\0b', actor: { id: '\0', type: 'user', email: '' } }));
  expect(await suite.log(tenantId, 1)).toMatchObject([{ entity_id: 'a\uFFFDb', actor_id: '\uFFFD' }]);
});

test('when events come with times long ago and far ahead, then they are recorded too', async () => {
  const tenantId = newId();
  const times = ['1970-01-01T00:00:00.000Z', '2031-05-05T05:05:05.555Z', new Date().toISOString()];
  await suite.publish('requests', ...times.map((time) => changeOf(tenantId, {}, { occurredAt: new Date(time) })));
  const rows = await suite.log(tenantId, 3);
  expect(rows.map((row) => (row.occurred_at as Date).toISOString())).toEqual(times);
  expect(await verified(tenantId)).toMatchObject({ ok: true, events: 3n });
});
