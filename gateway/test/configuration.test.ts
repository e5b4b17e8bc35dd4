import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../src/app.ts';
import { defineRoute } from '../src/define-route.ts';
import { type Call, callTo, type Item, type Person, startTestGateway, startWorld, toldMs, type World } from './world.ts';

/** What the gateway makes of a caller, as a service would see it. */
const echo = defineRoute({
  method: 'get',
  path: '/api/v1/echo',
  operationId: 'echo',
  tag: 'Me',
  summary: 'Who calls',
  audience: 'app',
  cerbos: { resource: 'me', action: 'read' },
  answer: { status: 200, description: 'Who calls.' },
  handle: async ({ principal: { licenseTier, flags } }) => ({ licenseTier, flags }),
});

describe('settings, flags and licenses', () => {
  let world: World;
  let call: Call;
  let mirror: RunningGateway;
  let root: Person;
  let support: Person;
  let tenant: { id: string; slug: string; admin: Person };

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    mirror = await startTestGateway(world.addresses, { EVENTS_NAMESPACE: world.namespace }, { routes: [echo] });
    [root, support] = [await world.staff('platform-admin'), await world.staff('platform-support')];
    tenant = await world.organization();
  });
  afterAll(async () => {
    await mirror.close();
    await world.close();
  });

  const admin = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    call(method, `/org${path}`, { token: tenant.admin.token, body, headers });
  const platform = (method: string, path: string, body?: unknown) => call(method, `/admin${path}`, { token: root.token, body });

  test('when a setting is read, set by each level and taken back, then the answer shows the value and its source', async () => {
    const key = 'password.min-length';
    const read = async () => (await admin('GET', `/settings/${key}`)).body;
    expect(await read()).toMatchObject({ key, value: 12, source: 'default', secret: false, isSet: false, version: 1, updatedAt: null });
    expect((await platform('PUT', `/settings/${key}`, { value: 13 })).body).toMatchObject({ value: 13, source: 'global' });
    expect(await read()).toMatchObject({ value: 13, source: 'global' });
    const put = await admin('PUT', `/settings/${key}`, { value: 14 });
    expect(put).toMatchObject({ status: 200, body: { value: 14, source: 'tenant', version: 2 }, headers: { etag: 'W/"2"' } });
    expect((await admin('PUT', `/settings/${key}`, { value: 15 }, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await admin('DELETE', `/settings/${key}`)).status).toBe(204);
    expect((await platform('DELETE', `/settings/${key}`)).status).toBe(204);
    expect(await read()).toMatchObject({ value: 12, source: 'default', version: 3 });
  });

  test('when a value or a body does not fit, then it is 422 and names where', async () => {
    const bad = async (body: unknown) => {
      const answer = await admin('PUT', '/settings/session.lifetime-hours', body);
      return [answer.status, ...(answer.body.errors ?? []).map(({ pointer }) => pointer)];
    };
    expect(await bad({ value: 'long' })).toEqual([422, '/value']);
    expect(await bad({})).toEqual([422, '/value']);
    expect(await bad({ value: 1, source: 'global' })).toEqual([422, '/source']);
    for (const key of ['no.such', 'NO_SUCH', 'stripe.prices', encodeURIComponent('a/b é')]) {
      expect((await admin('GET', `/settings/${key}`)).status).toBe(404);
      expect((await admin('PUT', `/settings/${key}`, { value: 1 })).status).toBe(404);
    }
    expect((await admin('GET', `/settings/${'x'.repeat(101)}`)).status).toBe(400);
  });

  test('when settings are listed, then pages, sort and filters hold', async () => {
    const keys = async (query: string) => (await admin('GET', `/settings${query}`)).body.items?.map((item) => item.key);
    const all = ['password.min-length', 'security.require-mfa', 'session.lifetime-hours', 'users.email-domains'];
    expect(await keys('')).toEqual(all);
    expect(await keys('?sort=-key')).toEqual(all.toReversed());
    expect(await keys('?filter[key][like]=%25.email%25')).toEqual(['users.email-domains']);
    const first = (await admin('GET', '/settings?limit=2')).body;
    expect(await keys(`?limit=2&cursor=${encodeURIComponent(String(first.nextCursor))}`)).toEqual(all.slice(2));
    expect((await call('GET', '/admin/settings', { token: support.token })).body.items?.length).toBeGreaterThan(all.length);
  });

  test('when a feature flag is made, replaced and deleted, then it answers as declared; a name in use is 409', async () => {
    const made = await admin('POST', '/feature-flags', { name: 'new-dashboard', enabled: true });
    expect(made).toMatchObject({ status: 201, body: { name: 'new-dashboard', description: null, enabled: true } });
    const { id } = made.body as Item;
    expect((await admin('POST', '/feature-flags', { name: 'new-dashboard', enabled: false })).body.error?.code).toBe(
      'FEATURE_FLAG_NAME_TAKEN',
    );
    expect((await admin('POST', '/feature-flags', { name: 'No Name', enabled: 1 })).body.errors?.map(({ pointer }) => pointer)).toEqual([
      '/name',
      '/enabled',
    ]);
    expect((await admin('PUT', `/feature-flags/${id}`, { name: 'new-dashboard', enabled: false })).body).toMatchObject({ enabled: false });
    expect((await admin('GET', '/feature-flags?filter[name][eq]=new-dashboard')).body.items).toMatchObject([{ id, version: 2 }]);
    expect((await admin('DELETE', `/feature-flags/${id}`)).status).toBe(204);
    expect((await admin('GET', `/feature-flags/${id}`)).status).toBe(404);
  });

  test('when license or flags change, then every call soon carries what is new, and the audit tells of it', async () => {
    const own = await world.organization();
    const principal = async () => (await callTo(mirror.url)('GET', '/echo', { token: own.admin.token })).body;
    const within = (what: string, wanted: object) =>
      until(async () => JSON.stringify(await principal()) === JSON.stringify(wanted), { timeoutMs: toldMs, what });
    expect(await principal()).toEqual({ licenseTier: 'free', flags: [] });
    const patched = await platform('PATCH', `/tenants/${own.id}/license`, { tier: 'enterprise', flags: ['sso'] });
    expect(patched.body).toMatchObject({ tier: 'enterprise', flags: ['sso'], limits: { users: null }, lastSync: null });
    await within('the license', { licenseTier: 'enterprise', flags: ['license.sso'] });
    await call('POST', '/org/feature-flags', { token: own.admin.token, body: { name: 'beta', enabled: true } });
    await within('the flag', { licenseTier: 'enterprise', flags: ['beta', 'license.sso'] });
    const down = await call('PATCH', '/org/license', { token: own.admin.token, body: { tier: 'free', flags: [] } });
    expect(down).toMatchObject({ status: 200, body: { tier: 'free', limits: { users: 100, resources: 1000, auditRetentionDays: 90 } } });
    await within('what was given up', { licenseTier: 'free', flags: ['beta'] });
    expect((await call('PATCH', '/org/license', { token: own.admin.token, body: { tier: 'team' } })).status).toBe(403);
    const actions = await until(async () => {
      const { items = [] } = (await call('GET', '/org/audit?sort=sequence', { token: own.admin.token })).body;
      const found = items.map(({ action }) => action).filter((action) => /LICENSE|FLAG/.test(String(action)));
      return found.length >= 3 && found;
    });
    expect(actions).toEqual(['LICENSE_CHANGED', 'FEATURE_FLAG_CREATED', 'LICENSE_CHANGED']);
  });
});
