import { randomUUID } from 'node:crypto';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routes } from '../src/routes/index.ts';
import { readsTenants } from '../src/support-read.ts';
import { type Answer, type Item, type Person, startWorld, type World } from './world.ts';

// What concerns several tenants stands in the platform's own log.
const noTenant = '00000000-0000-0000-0000-000000000000';

let world: World;
let acme: { id: string; slug: string; admin: Person };
let support: Person;
let root: Person;
beforeAll(async () => {
  world = await startWorld();
  acme = await world.organization();
  [support, root] = await Promise.all([world.staff('platform-support'), world.staff('platform-admin')]);
});
afterAll(() => world.close());

const watched = routes.filter(readsTenants);
const pathOf = (path: string) => path.slice('/api/v1'.length).replace('{id}', acme.id);
const read = (path: string, reason?: string, requestId = randomUUID(), { token } = support) =>
  world.call('GET', path, {
    token,
    headers: { 'x-request-id': requestId, ...(reason === undefined ? {} : { 'x-access-reason': reason }) },
  });
const brief = ({ status, body }: Answer) => [status, body.error?.code];
const recorded = async (requestId: string): Promise<Item[]> =>
  (await world.call('GET', `/admin/audit?filter[requestId][eq]=${requestId}`, { token: root.token })).body.items ?? [];

test('when support reads what is a tenant’s without a reason that is one, then 400 names the header and nothing is answered', async () => {
  expect(watched.map(({ operationId }) => operationId)).toEqual(
    expect.arrayContaining(['listTenants', 'getAnyTenant', 'getAnyLicense', 'listDeadLetters', 'listAllAuditEvents']),
  );
  for (const { path } of watched)
    for (const reason of [undefined, '', '  ', 'ab', 'x'.repeat(501), 'tab\there', 'a\u0085ticket']) {
      const answer = await read(pathOf(path), reason);
      expect(brief(answer)).toEqual([400, 'ACCESS_REASON_REQUIRED']);
      expect(answer.body.detail).toContain('X-Access-Reason');
    }
});

test('when support reads with a reason, then each answer has exactly one event that tells who, what, why and for which call', async () => {
  for (const { path, cerbos } of watched) {
    const requestId = randomUUID();
    expect((await read(pathOf(path), 'INC-4711', requestId)).status).toBe(200);
    const events = await until(async () => (await recorded(requestId)).length > 0 && recorded(requestId), { what: `the event of ${path}` });
    const ofOne = path.includes('{id}');
    expect(events).toMatchObject([
      {
        action: 'SUPPORT_READ',
        tenantId: ofOne ? acme.id : noTenant,
        entityType: cerbos.resource.toUpperCase(),
        entityId: ofOne ? acme.id : '',
        actor: { type: 'user', email: support.email },
        changes: { reason: { after: 'INC-4711' }, route: { after: `GET ${path}` } },
      },
    ]);
  }
});

test('when support searches the audit of one tenant, then that tenant reads in its own log what was looked for', async () => {
  const requestId = randomUUID();
  await read(`/admin/audit?filter[tenantId][eq]=${acme.id}&filter[action][in]=USER_CREATED`, 'Störung 12', requestId);
  const own = () => world.call('GET', `/org/audit?filter[requestId][eq]=${requestId}`, { token: acme.admin.token });
  const [event] = await until(async () => ((await own()).body.items?.length ?? 0) > 0 && (await own()).body.items, { what: 'the event' });
  expect(event).toMatchObject({
    action: 'SUPPORT_READ',
    changes: { reason: { after: 'Störung 12' }, filters: { after: [`tenantId eq ${acme.id}`, 'action in USER_CREATED'] } },
  });
});

test('when support searches the audit of several tenants by name, then each reads in its own log that it was among them', async () => {
  const other = await world.organization();
  for (const tenants of [[acme], [acme, other]]) {
    const requestId = randomUUID();
    await read(`/admin/audit?filter[tenantId][in]=${tenants.map(({ id }) => id).join(',')}`, 'INC-12', requestId);
    for (const { admin } of tenants) {
      const own = async () =>
        (await world.call('GET', `/org/audit?filter[requestId][eq]=${requestId}`, { token: admin.token })).body.items ?? [];
      expect(await until(async () => (await own()).length > 0 && own(), { what: 'the event' })).toMatchObject([{ action: 'SUPPORT_READ' }]);
    }
  }
});

test('when it tells nothing of any tenant, or a platform admin reads, then no reason is asked for and nothing recorded', async () => {
  for (const path of ['/admin/policies/version', '/admin/settings']) expect((await read(path)).status).toBe(200);
  const requestId = randomUUID();
  expect((await read('/admin/tenants', undefined, requestId, root)).status).toBe(200);
  const after = randomUUID();
  await read('/admin/tenants', 'INC-4711', after);
  await until(async () => (await recorded(after)).length > 0, { what: 'what came later' });
  expect(await recorded(requestId)).toEqual([]);
});

test('when the read cannot be recorded, then it is not answered: 503, while an admin still reads', async () => {
  const other = await startWorld();
  const [someone, admin] = await Promise.all([other.staff('platform-support'), other.staff('platform-admin')]);
  const look = (token: string) => other.call('GET', '/admin/audit', { token, headers: { 'x-access-reason': 'INC-4711' } });
  expect((await look(someone.token)).status).toBe(200);
  expect((await look(admin.token)).status).toBe(200);
  await other.services.identity.close();
  // Both are still known, so nothing but the recording needs identity.
  const [refused, answered] = await Promise.all([look(someone.token), look(admin.token)]);
  expect(brief(refused)).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
  expect(answered.status).toBe(200);
  await other.close();
});
