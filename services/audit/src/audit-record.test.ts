import type { Event } from '@accessops/events';
import { AnyEventSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { recordOf } from './audit-record.ts';

const event = (payload: Uint8Array): Event => ({
  id: '01890000-0000-7000-8000-000000000002',
  type: 'RequestSubmitted',
  tenantId: '01890000-0000-7000-8000-000000000001',
  aggregateId: 'r-1',
  occurredAt: new Date('2026-11-21T10:11:12.345Z'),
  origin: { requestId: 'from-headers', ip: '192.0.2.9', userAgent: 'header/1', traceparent: '' },
  payload,
});

test('when any event tells of a change, then its record is made of the change alone', () => {
  const change = {
    action: 'REQUEST_CREATED',
    entityType: 'REQUEST',
    entityId: 'r-1',
    actor: { id: 'u-1', type: 'user', email: 'a@b.test' },
    origin: { requestId: 'call-1', ip: '192.0.2.7', userAgent: 'curl/8.5' },
    changesJson: '{"b":{"after":1},"a":{"after":2}}',
  };
  const payload = toBinary(RequestSubmittedSchema, create(RequestSubmittedSchema, { change, justification: 'not for the log' }));
  expect(recordOf(event(payload))).toEqual({
    tenantId: '01890000-0000-7000-8000-000000000001',
    id: '01890000-0000-7000-8000-000000000002',
    occurredAt: '2026-11-21T10:11:12.345Z',
    actorId: 'u-1',
    actorType: 'user',
    actorEmail: 'a@b.test',
    action: 'REQUEST_CREATED',
    entityType: 'REQUEST',
    entityId: 'r-1',
    changes: '{"a":{"after":2},"b":{"after":1}}',
    ip: '192.0.2.7',
    userAgent: 'curl/8.5',
    requestId: 'call-1',
  });
});

test('when the change names no actor, origin or fields, then these are empty and the origin is that of the event', () => {
  const payload = toBinary(
    AnyEventSchema,
    create(AnyEventSchema, { change: { action: 'JOB_STARTED', entityType: 'JOB', entityId: 'j-1' } }),
  );
  expect(recordOf(event(payload))).toMatchObject({ actorId: '', actorType: '', actorEmail: '', changes: '{}', requestId: 'from-headers' });
});

test('when an event tells of no change, then it has no record', () => {
  expect(recordOf(event(new Uint8Array()))).toBeUndefined();
});

test.each(['[]', '1', 'null', '"text"', '{', '{}x'])('when the changes are %s, then the event is refused', (changesJson) => {
  const payload = toBinary(
    AnyEventSchema,
    create(AnyEventSchema, { change: { action: 'X', entityType: 'Y', entityId: 'z', changesJson } }),
  );
  expect(() => recordOf(event(payload))).toThrow();
});
