import { AppError } from '@accessops/errors';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { anonymously, codeOf, type Harness, newTenant, startHarness, type TestTenant, unique } from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

const hour = 3_600_000;

let mail: MailServer;
let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  mail = await startMailServer();
  harness = await startHarness({ SMTP_URL: mail.url });
  acme = await newTenant(harness);
});
// Each test has an hour of its own, and all of it.
beforeEach(() => harness.toNextHour());
afterAll(async () => {
  await harness.close();
  await mail.stop();
});

const refusal = (call: Promise<unknown>) => call.catch((error: unknown) => (error instanceof AppError ? error : String(error)));
const emptied = () => until(async () => (await harness.admin.query('select 1 from mail')).rowCount === 0, { what: 'an empty outbox' });
const received = (address: string) => mail.received.filter(({ to }) => to === address).length;

test('when an address has got ten mails in an hour, then more are refused, or left out where nobody is to know, until the next', async () => {
  const person = await acme.add('bombed', ['requester']);
  const other = await acme.add('spared', ['requester']);
  const verify = async (who: typeof person) =>
    harness.client.requestVerification({}, await acme.as(who, ['requester'], { audience: 'app' }));
  for (let round = 2; round <= 10; round++) await verify(person);
  const refused = await refusal(verify(person));
  expect(refused).toMatchObject({ code: 'TOO_MANY_MAILS', members: { retryAfter: expect.any(Number) } });
  expect((refused as AppError).members.retryAfter).toBeLessThanOrEqual(3600);
  expect(await codeOf(verify(other))).toBe('ok');
  await harness.client.requestPasswordReset({ email: person.email }, await anonymously());
  await emptied();
  const before = received(person.email);

  harness.clock.skipMs += hour;
  await harness.client.requestPasswordReset({ email: person.email }, await anonymously());
  expect(await codeOf(verify(person))).toBe('ok');
  await emptied();
  expect(received(person.email)).toBe(before + 2);
});

test('when many ask for mails to one address at once, then no more than ten are queued', async () => {
  const address = `${unique('crowd')}@people.test`;
  const tenants = await Promise.all(Array.from({ length: 12 }, () => newTenant(harness)));
  const codes = await Promise.all(
    tenants.map(async (tenant) => codeOf(harness.client.createInvitation({ email: address, orgRoles: [] }, await tenant.asAdmin()))),
  );
  expect(codes.sort()).toEqual([...Array.from({ length: 2 }, () => 'TOO_MANY_MAILS'), ...Array.from({ length: 10 }, () => 'ok')]);
});

test('when an organisation has sent a thousand mails in an hour, then it sends no more, and what would have is not done', async () => {
  const tenant = await newTenant(harness);
  const since = new Date(Date.now() + harness.clock.skipMs);
  since.setUTCMinutes(0, 0, 0);
  await harness.admin.query('insert into mail_count values ($1, $2, 999)', [`tenant ${tenant.id}`, since]);
  const invite = async (of: TestTenant) =>
    harness.client.createInvitation({ email: `${unique('guest')}@people.test`, orgRoles: [] }, await of.asAdmin());
  expect(await codeOf(invite(tenant))).toBe('ok');
  expect(await codeOf(invite(tenant))).toBe('TOO_MANY_MAILS');
  expect((await harness.client.listInvitations({}, await tenant.asAdmin())).items).toHaveLength(1);
  expect(await codeOf(tenant.add('late', ['requester']))).toBe('TOO_MANY_MAILS');
  expect(await codeOf(invite(acme))).toBe('ok');
});

test('when links and invitations are long over, then the upkeep forgets them, and not before', async () => {
  const tenant = await newTenant(harness);
  const invitation = await harness.client.createInvitation({ email: `${unique('g')}@people.test`, orgRoles: [] }, await tenant.asAdmin());
  const left = async () => {
    const { rows } = await harness.admin.query(
      `select (select count(*) from link where account_id = $1)::int as links,
              (select count(*) from invitation where id = $2)::int as invitations,
              (select count(*) from mail_count where since < $3)::int as counts`,
      [tenant.admin.id, invitation.id, new Date(Date.now() + harness.clock.skipMs - 2 * hour)],
    );
    return rows[0];
  };
  // A process starts whether its first round of upkeep has succeeded or not: that it did is seen by what is forgotten with all the rest.
  const upkeepIsDone = async () => (await left()).counts === 0;
  const startAfter = async (days: number) => {
    harness.clock.skipMs += days * 24 * hour;
    await harness.admin.query('insert into mail_count values ($1, $2, 1)', [unique('long ago'), new Date(0)]);
    await harness.startAnother();
    await until(upkeepIsDone, { what: 'a round of upkeep' });
    return left();
  };
  expect(await startAfter(1)).toMatchObject({ links: 1, invitations: 1 });
  expect(await startAfter(2)).toMatchObject({ links: 0, invitations: 1 });
  expect(await startAfter(90)).toMatchObject({ invitations: 1 });
  expect(await startAfter(5)).toMatchObject({ invitations: 0 });
});
