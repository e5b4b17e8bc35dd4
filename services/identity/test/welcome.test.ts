import { newId } from '@accessops/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { as, codeOf, type Harness, newTenant, startHarness } from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

let mail: MailServer;
let harness: Harness;
beforeAll(async () => {
  mail = await startMailServer();
  harness = await startHarness({ SMTP_URL: mail.url });
});
afterAll(async () => {
  await harness.close();
  await mail.stop();
});

const asProvisioner = (tenantId: string) => as({ type: 'service', id: 'provisioner', tenantId, audience: 'public', mfaLevel: 0 });
const welcomes = (address: string) => mail.received.filter(({ to, head }) => to === address && /^Subject: Welcome/m.test(head));

test('when provisioner asks, then the mail is at the server before there is an answer, under the id that it gave', async () => {
  const tenant = await newTenant(harness);
  const mailId = newId();
  const send = async () => harness.client.sendWelcomeMail({ userId: tenant.admin.id, mailId }, await asProvisioner(tenant.id));
  expect(await send()).toMatchObject({ sent: true });
  expect(welcomes(tenant.admin.email)).toHaveLength(1);
  await send();
  const ids = welcomes(tenant.admin.email).map(({ head }) => /^Message-ID: (.*?)\r?$/im.exec(head)?.[1]);
  expect(ids).toEqual([`<${mailId}@accessops>`, `<${mailId}@accessops>`]);
});

test('when the person is gone, or of another tenant, then nothing is sent', async () => {
  const [tenant, other] = [await newTenant(harness), await newTenant(harness)];
  const gone = await tenant.add('gone', []);
  await harness.client.updateUser({ id: gone.id, active: false }, await tenant.asAdmin());
  const sent = async (userId: string) =>
    (await harness.client.sendWelcomeMail({ userId, mailId: newId() }, await asProvisioner(tenant.id))).sent;
  expect(await Promise.all([gone.id, other.admin.id, newId(), '', 'x'].map(sent))).toEqual([false, false, false, false, false]);
  expect(welcomes(gone.email)).toEqual([]);
});

test('when anybody else asks, then it is refused', async () => {
  const tenant = await newTenant(harness);
  const request = { userId: tenant.admin.id, mailId: newId() };
  const approvals = as({ type: 'service', id: 'approvals', tenantId: tenant.id, audience: 'public', mfaLevel: 0 });
  const nowhere = as({ type: 'service', id: 'provisioner', tenantId: null, audience: 'public', mfaLevel: 0 });
  for (const options of [await tenant.asAdmin(), await approvals, await nowhere])
    expect(await codeOf(harness.client.sendWelcomeMail(request, options))).toBe('PERMISSION_DENIED');
});

test('when the mail server is away or refuses, then the caller is told which', async () => {
  const tenant = await newTenant(harness);
  const send = async () =>
    codeOf(harness.client.sendWelcomeMail({ userId: tenant.admin.id, mailId: newId() }, await asProvisioner(tenant.id)));
  mail.refuses = (address) => address === tenant.admin.email;
  expect(await send()).toBe('MAIL_REFUSED');
  mail.refuses = () => false;
  await mail.stop();
  expect(await send()).toBe('DEPENDENCY_UNAVAILABLE');
});
