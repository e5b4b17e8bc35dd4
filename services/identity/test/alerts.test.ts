import { newId } from '@accessops/db';
import { connectBroker, ensureStream, headersOf, publish } from '@accessops/events';
import { GrantRevocationChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { infrastructure, until } from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, newTenant, startHarness } from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

let mail: MailServer;
let harness: Harness;
let broker: Awaited<ReturnType<typeof connectBroker>>;

beforeAll(async () => {
  mail = await startMailServer();
  harness = await startHarness({ SMTP_URL: mail.url });
  await harness.startAnother();
  broker = await connectBroker(infrastructure().nats);
  await ensureStream(broker, harness.environment.EVENTS_NAMESPACE ?? '', 'provisioner');
});
afterAll(async () => {
  await broker.close();
  await harness.close();
  await mail.stop();
});

const since = new Date('2026-11-21T09:30:00.000Z');

/** Tells what the provisioner would; told twice with one id it is a duplicate. */
const tell = async (tenantId: string, status: string, eventId = newId()): Promise<string> => {
  const grantId = newId();
  const message = { grantId, requestId: newId(), status, resourceKey: 'prod-db', role: 'writer', since: timestampFromDate(since) };
  const payload = toBinary(GrantRevocationChangedSchema, create(GrantRevocationChangedSchema, message));
  const origin = { requestId: 'test', ip: '', userAgent: '', traceparent: '' };
  const event = {
    id: eventId,
    type: GrantRevocationChangedSchema.name,
    tenantId,
    aggregateId: grantId,
    occurredAt: new Date(),
    origin,
    payload,
  };
  await publish(broker, harness.environment.EVENTS_NAMESPACE ?? '', 'provisioner', {
    type: event.type,
    payload,
    headers: headersOf('provisioner', event),
    messageId: newId(),
  });
  return grantId;
};
const alertsTo = (address: string) =>
  mail.received.filter(({ to, head }) => to === address && /^Subject: Access has not ended/m.test(head));
const handled = (eventId: string) =>
  until(async () => (await harness.admin.query('select 1 from inbox_event where event_id = $1', [eventId])).rowCount, {
    what: 'an event that was handled',
  });

test('when a target does not let go, then each active admin gets one mail that says of what, since when and where to close it', async () => {
  const tenant = await newTenant(harness);
  const other = await newTenant(harness);
  const { admin } = tenant;
  const second = await tenant.add('second', ['admin']);
  const away = await tenant.add('away', ['admin']);
  const manager = await tenant.add('manager', ['manager']);
  await harness.client.updateUser({ id: away.id, active: false }, await tenant.asAdmin());
  const eventId = newId();
  const grantId = await tell(tenant.id, 'REVOKE_FAILED', eventId);
  for (const address of [admin.email, second.email]) {
    await until(() => alertsTo(address).length > 0, { what: `an alert to ${address}` });
  }
  const [alert] = alertsTo(admin.email);
  expect(alert?.text).toContain('writer on prod-db');
  expect(alert?.text).toContain('since 2026-11-21 09:30 UTC');
  expect(alert?.text).toContain(`POST http://accessops.test/api/v1/org/grants/${grantId}/close {"reason"}`);
  // The same event again, and one of an end that has only begun.
  await tell(tenant.id, 'REVOKE_FAILED', eventId);
  const begun = newId();
  await tell(tenant.id, 'REVOKING', begun);
  await handled(begun);
  await until(async () => (await harness.admin.query('select 1 from mail')).rowCount === 0, { what: 'an empty outbox' });
  expect([admin, second].map(({ email }) => alertsTo(email).length)).toEqual([1, 1]);
  expect([away, manager, other.admin].map(({ email }) => alertsTo(email).length)).toEqual([0, 0, 0]);
});

test('when many grants are stuck at once, then an admin gets ten mails in an hour, and still other mails', async () => {
  const tenant = await newTenant(harness);
  const { admin } = tenant;
  harness.toNextHour();
  const ids = Array.from({ length: 13 }, () => newId());
  for (const id of ids) await tell(tenant.id, 'REVOKE_FAILED', id);
  await Promise.all(ids.map(handled));
  await until(async () => (await harness.admin.query('select 1 from mail where address = $1', [admin.email])).rowCount === 0);
  expect(alertsTo(admin.email)).toHaveLength(10);
  const rows = await harness.admin.query('select mails from mail_count where subject = $1', [`address ${admin.email}`]);
  expect(rows.rows[0]?.mails).toBeLessThan(10);
});
