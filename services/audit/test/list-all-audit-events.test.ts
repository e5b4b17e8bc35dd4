import { newId, noTenant } from '@accessops/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Suite, startSuite, where } from './suite.ts';

let suite: Suite;
const [acme, globex] = [newId(), newId()];
const ids = [newId(), newId(), newId(), newId()];
beforeAll(async () => {
  suite = await startSuite();
  const tenants = [acme, globex, acme, noTenant];
  await suite.publish('identity', ...tenants.map((tenant, index) => changeOf(tenant, {}, { id: ids[index] as string })));
  await Promise.all([suite.log(acme, 2), suite.log(globex, 1), suite.log(noTenant, 1)]);
});
afterAll(() => suite.close());

const staff = (role: string) => suite.as({ audience: 'admin', realmRoles: [role] });
const list = async (query: Parameters<Suite['client']['listAllAuditEvents']>[0]['query']) =>
  (await suite.client.listAllAuditEvents({ query }, await staff('platform-support'))).items;

test('when platform staff list, then the events of all tenants stand there, the newest first', async () => {
  expect((await list({})).map(({ id }) => id)).toEqual(ids.toReversed());
  expect((await suite.client.listAllAuditEvents({}, await staff('platform-admin'))).items).toHaveLength(4);
});

test('when platform staff filter by tenant, then only its events are listed', async () => {
  const items = await list(where(['tenantId', 'EQ', acme]));
  expect(items.map(({ tenantId, sequence }) => [tenantId, sequence])).toEqual([
    [acme, 2n],
    [acme, 1n],
  ]);
});

test('when pages are followed, then each event comes once', async () => {
  const seen: string[] = [];
  let after = '';
  do {
    const { items, page } = await suite.client.listAllAuditEvents({ query: { limit: 3, after } }, await staff('platform-admin'));
    seen.push(...items.map(({ id }) => id));
    after = page?.next ?? '';
  } while (after);
  expect(seen).toEqual(ids.toReversed());
});

test('when somebody of a tenant lists, or staff through another door, then it is not allowed', async () => {
  const admin = { ...auditorOf(acme), orgRoles: ['admin', 'auditor', 'platform-admin'] };
  await expect(suite.client.listAllAuditEvents({}, await suite.as(admin))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  const wrongDoor = await suite.as({ audience: 'app', realmRoles: ['platform-admin'] });
  await expect(suite.client.listAllAuditEvents({}, wrongDoor)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});
