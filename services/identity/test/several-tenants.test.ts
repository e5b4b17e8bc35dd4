import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  as,
  asGateway,
  asPlatform,
  codeOf,
  type Harness,
  isAbout,
  logIn,
  newTenant,
  startHarness,
  type TestTenant,
} from './harness.ts';

let harness: Harness;
let home: TestTenant;
let away: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  [home, away] = [await newTenant(harness), await newTenant(harness)];
});
afterAll(() => harness.close());

/** Somebody of both tenants, with a session that is good in both. */
const traveller = async (name: string, awayRoles = ['approver']) => {
  const person = await home.add(name, ['requester']);
  await harness.admin.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at)
     select $1, id, email, first_name, last_name, $3, 1, now(), now() from app_user where id = $2`,
    [away.id, person.id, awayRoles],
  );
  const session = await logIn(harness, person.email);
  const organizations = Object.keys(session.claims.organization as object);
  const resolve = async (tenant: string) =>
    harness.client.resolvePrincipal({ subject: person.id, sessionId: session.sessionId, organizations, tenant }, await asGateway());
  return { ...person, session, resolve };
};

test('when someone of two tenants names one, then roles are those of that one', async () => {
  const { resolve } = await traveller('names-one');
  expect(await resolve(home.slug)).toMatchObject({ tenant: { id: home.id }, orgRoles: ['requester'] });
  expect(await resolve(away.slug)).toMatchObject({ tenant: { id: away.id }, orgRoles: ['approver'] });
});

test('when someone of two tenants names none, then a call that needs a tenant is refused, and one that needs none is not', async () => {
  const { id, resolve } = await traveller('names-none');
  expect(await codeOf(resolve(''))).toBe('TENANT_REQUIRED');
  expect((await resolve('*')).id).toBe(id);
});

test('when someone is deactivated in one of two tenants, then only that one is lost', async () => {
  const { id, session, resolve } = await traveller('loses-one');
  await harness.client.updateUser({ id, active: false }, await away.asAdmin());
  expect(await codeOf(resolve(away.slug))).toBe('USER_INACTIVE');
  expect((await resolve(home.slug)).tenant?.id).toBe(home.id);
  expect((await resolve('*')).tenant?.id).toBe(home.id);
  const { accessToken } = await harness.client.refresh({ refreshToken: session.refreshToken }, await anonymously());
  expect(Object.keys(decodeJwt(accessToken).organization as object)).toEqual([home.slug]);
});

test('when someone is deactivated in both, then nothing is left', async () => {
  const { id, session, resolve } = await traveller('loses-both');
  await harness.client.updateUser({ id, active: false }, await away.asAdmin());
  await harness.client.updateUser({ id, active: false }, await home.asAdmin());
  for (const tenant of [home.slug, away.slug, '*']) expect(await codeOf(resolve(tenant))).toBe('USER_INACTIVE');
  expect(await codeOf(harness.client.refresh({ refreshToken: session.refreshToken }, await anonymously()))).toBe('INVALID_REFRESH_TOKEN');
});

test('when one of two tenants is suspended, then the other goes on', async () => {
  const { resolve } = await traveller('half-suspended');
  await harness.client.suspendTenant({ id: away.id }, await asPlatform());
  expect(await codeOf(resolve(away.slug))).toBe('TENANT_SUSPENDED');
  expect((await resolve(home.slug)).tenant?.id).toBe(home.id);
  await harness.client.activateTenant({ id: away.id }, await asPlatform());
  expect((await resolve(away.slug)).tenant?.id).toBe(away.id);
});

test('when one of two tenants wants short sessions, then those that are good in it are short', async () => {
  const { email } = await traveller('short');
  const week = 7 * 24 * 3600;
  await harness.client.putSetting({ key: 'session.lifetime-hours', valueJson: '1' }, await away.asAdmin());
  const lasts = async (tenant?: string) => (await logIn(harness, email, tenant ? { tenant } : {})).refreshExpiresIn;
  expect(await lasts(away.slug)).toSatisfy(isAbout(3600));
  expect(await lasts()).toSatisfy(isAbout(3600));
  expect(await lasts(home.slug)).toSatisfy(isAbout(week));
  await harness.client.deleteSetting({ key: 'session.lifetime-hours' }, await away.asAdmin());
  expect(await lasts()).toSatisfy(isAbout(week));
});

test('when someone asks for their tenants, then all are listed with the roles there, page by page', async () => {
  const { id, email } = await traveller('lists');
  const options = () => as({ id, email, tenantId: home.id, tenantSlug: home.slug, orgRoles: ['requester'], audience: 'app' });
  const { items } = await harness.client.listMyTenants({}, await options());
  const expected = [
    { id: home.id, slug: home.slug, name: `Org ${home.slug}`, status: 'ACTIVE', orgRoles: ['requester'] },
    { id: away.id, slug: away.slug, name: `Org ${away.slug}`, status: 'ACTIVE', orgRoles: ['approver'] },
  ];
  expect(items).toMatchObject(expected.sort((a, b) => (a.slug < b.slug ? -1 : 1)));
  const first = await harness.client.listMyTenants({ query: { limit: 1 } }, await options());
  const second = await harness.client.listMyTenants({ query: { limit: 1, after: first.page?.next } }, await options());
  expect([...first.items, ...second.items].map(({ slug }) => slug)).toEqual(items.map(({ slug }) => slug));
  expect(second.page?.next).toBe('');
});
