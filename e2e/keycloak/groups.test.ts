import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../services/provisioner/src/connector.ts';
import { createKeycloakGroupConnector } from '../../services/provisioner/src/connectors/keycloak-group/keycloak-group.ts';
import { newAccess } from '../../services/provisioner/test/access.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../../services/provisioner/test/fault-proxy.ts';
import { page, strangeWord } from '../../services/provisioner/test/targets/real-target.ts';
import { type Person, Tenant } from '../client.ts';
import { makeClient } from './group-client.ts';
import { admin } from './keycloak.ts';

const signal = AbortSignal.timeout(600_000);

describe('membership in groups', () => {
  let connector: Connector;
  let person: Person;
  let proxy: FaultProxy;
  let group: string;
  const groupName = `readers-${randomUUID()}`;

  beforeAll(async () => {
    const [CLIENT_ID, CLIENT_SECRET] = [`groups-${randomUUID()}`, randomUUID()];
    await makeClient(CLIENT_ID, CLIENT_SECRET, ['manage-users']);
    await makeClient(`${CLIENT_ID}-idle`, CLIENT_SECRET, []);
    proxy = await startFaultProxy(Number(new URL(inject('keycloak').url).port));
    const settings = { URL: inject('keycloak').url, REALM: 'accessops', CLIENT_ID, CLIENT_SECRET };
    const login = (name: string, more: object = {}) =>
      [name, { name, settings: { ...settings, ...more }, tenants: new Set(['acme']) }] as const;
    connector = createKeycloakGroupConnector(
      new Map([
        login('realm'),
        login('wrong-secret', { CLIENT_SECRET: 'no' }),
        login('idle', { CLIENT_ID: `${CLIENT_ID}-idle` }),
        login('proxied', { URL: `http://127.0.0.1:${proxy.port}` }),
        login('ours', { GROUPS: `/teams, /${groupName}` }),
        login('theirs', { GROUPS: `/teams,/${groupName}-of-others` }),
        login('nowhere', { URL: 'http://127.0.0.1:1' }),
      ]),
    );
    person = await (await Tenant.create('groups')).person('holder', ['requester']);
    await admin('POST', '/groups', { name: groupName });
    group = (await admin<{ id: string; name: string }[]>('GET', `/groups?search=${groupName}`))[0]?.id ?? '';
  });

  afterAll(() => proxy.close());

  const config = () => ({ login: 'realm', roles: { reader: group } });
  const access = (partial: Partial<Access> = {}): Access =>
    newAccess({ holderId: person.id, resourceKey: 'wiki', role: 'reader', config: config(), ...partial });
  const end = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, signal);
  const isIn = async () => (await admin<{ id: string }[]>('GET', `/groups/${group}/members`)).some(({ id }) => id === person.id);

  test('when access is made, then the holder is in the group until the end, whatever is repeated', async () => {
    const wanted = access();
    expect(await connector.verify(wanted, signal)).toBe(false);
    const { credential } = await connector.apply(wanted, signal);
    await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
    expect([credential, await isIn(), await connector.verify(wanted, signal)]).toEqual([{ group: `/${groupName}` }, true, true]);
    await end(wanted);
    expect([await isIn(), await connector.verify(wanted, signal)]).toEqual([false, false]);
    await end(wanted);
  });

  test('when the group is looked at, then it is told who is in it by us, who should be, and who is by somebody else', async () => {
    const wanted = access();
    await connector.apply(wanted, signal);
    const site = { tenantId: wanted.tenantId, tenantSlug: 'acme', resourceKey: 'wiki', config: config(), expected: [wanted.key] };
    const other = await (await Tenant.create('others')).person('other', ['requester']);
    await admin('PUT', `/users/${other.id}/groups/${group}`);
    const ours = { key: wanted.key, kind: 'member', inForce: true };
    const found = (await connector.list?.(site, signal)) ?? [];
    expect(found).toEqual(expect.arrayContaining([expect.objectContaining(ours)]));
    expect(found.filter(({ key }) => key === null)).toEqual([{ key: null, name: other.email, kind: 'member', inForce: true }]);
    await admin('DELETE', `/users/${person.id}/groups/${group}`);
    expect(await connector.list?.(site, signal)).toContainEqual(expect.objectContaining({ ...ours, inForce: false }));
    await end(wanted);
    expect((await connector.list?.(site, signal))?.map(({ key }) => key)).toEqual([null]);
    await admin('DELETE', `/users/${other.id}/groups/${group}`);
  });

  test('when a login may give some groups only, then others are refused, and a check says so', async () => {
    const check = (login: string, id = group) =>
      connector.check({ tenantId: person.id, tenantSlug: 'acme', config: { login, roles: { reader: id } }, roles: ['reader'] }, signal);
    const wanted = access({ config: { ...config(), login: 'ours' } });
    expect(await check('ours')).toEqual([]);
    await connector.apply(wanted, signal);
    await end(wanted);
    expect(await check('theirs')).toEqual([{ pointer: '/roles/reader', message: 'is no group that this login may give' }]);
    const refused = { kind: 'refused', message: 'The login may not give this group' };
    await expect(connector.apply(access({ config: { ...config(), login: 'theirs' } }), signal)).rejects.toMatchObject(refused);
    expect(await isIn()).toBe(false);
  });

  test('when the group is one of an organization, then it is said what the realm refuses, and not that the client is wrong', async () => {
    const tenant = await Tenant.create('grouped');
    const organizations = await admin<{ id: string; alias: string }[]>('GET', `/organizations?search=${tenant.slug}&exact=true`);
    const groups = await admin<{ id: string }[]>('GET', `/organizations/${organizations[0]?.id}/groups`);
    const roles = { reader: groups[0]?.id ?? '' };
    const trial = { tenantId: person.id, tenantSlug: 'acme', config: { login: 'realm', roles }, roles: ['reader'] };
    expect(await connector.check(trial, signal)).toEqual([
      { pointer: '/roles/reader', message: expect.stringMatching(/^is refused by the realm: .*organization/i) },
    ]);
    await expect(connector.apply(access({ config: { login: 'realm', roles } }), signal)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/^The realm refuses: .*organization/i),
    });
  });

  test('when two accesses mean the same group, then the end of the first leaves the second as it is', async () => {
    const [first, second] = [access(), access()];
    await connector.apply(first, signal);
    await connector.apply(second, signal);
    await end(first);
    expect(await isIn()).toBe(true);
    await end(second);
    expect(await isIn()).toBe(false);
  });

  test('when both end at the same moment, then nobody is left in the group', async () => {
    const both = [access(), access()];
    for (const one of both) await connector.apply(one, signal);
    await Promise.all(both.map(end));
    expect(await isIn()).toBe(false);
  });

  test('when the holder was in the group before, then they still are after the end', async () => {
    await admin('PUT', `/users/${person.id}/groups/${group}`);
    const [first, second] = [access(), access()];
    for (const one of [first, second]) await connector.apply(one, signal);
    for (const one of [first, second]) await end(one);
    expect(await isIn()).toBe(true);
    await admin('DELETE', `/users/${person.id}/groups/${group}`);
  });

  test('when an earlier worker comes late, then it neither makes nor takes anything', async () => {
    const wanted = access();
    await connector.apply({ ...wanted, fence: 2 }, signal);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await connector.revoke(wanted, signal);
    expect(await isIn()).toBe(true);
    await end(wanted);
  });

  test.each<[string, Fault, string]>([
    ['is down', { kind: 'down' }, 'failed'],
    ['breaks off before the note is made', { kind: 'cut-before', sent: /POST \S+\/children/ }, 'unknown'],
    ['breaks off half way', { kind: 'cut-before', sent: /PUT \S+\/users\/\S+\/groups\// }, 'unknown'],
    [
      'has put the holder into the group when the connection breaks',
      { kind: 'cut-answer', sent: /PUT \S+\/users\/\S+\/groups\// },
      'unknown',
    ],
  ])('when Keycloak %s, then that is told, and the next attempt gives access that ends', async (_, fault, kind) => {
    const wanted = access({ config: { ...config(), login: 'proxied' } });
    proxy.set(fault);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind });
    proxy.set({ kind: 'none' });
    await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
    expect(await isIn()).toBe(true);
    await end(wanted);
    expect(await isIn()).toBe(false);
  });

  test.each<[string, Fault]>([
    ['is down', { kind: 'down' }],
    ['breaks off before the holder is out', { kind: 'cut-before', sent: /DELETE \S+\/users\// }],
    ['breaks off before the note is gone', { kind: 'cut-before', sent: /DELETE \/admin\/realms\/\w+\/groups\// }],
  ])('when Keycloak %s at the end, then the access counts as there until it has ended', async (_, fault) => {
    const wanted = access({ config: { ...config(), login: 'proxied' } });
    await connector.apply(wanted, signal);
    proxy.set(fault);
    await expect(end(wanted)).rejects.toThrow();
    proxy.set({ kind: 'none' });
    expect(await connector.verify(wanted, signal)).toBe(true);
    await end(wanted);
    expect([await isIn(), await connector.verify(wanted, signal)]).toEqual([false, false]);
  });

  const answers = [page('html'), page('json'), page('html', '404 Not Found')];

  test.each([
    ['from the first word', /^/],
    ['when the note is made', /POST \S+\/children/],
    ['when the holder is put into the group', /PUT \S+\/users\/\S+\/groups\//],
  ])('when somebody else answers for Keycloak %s, then nothing is believed, and the next attempt gives access', async (_, sent) => {
    for (const says of answers) {
      const wanted = access({ config: { ...config(), login: 'proxied' } });
      proxy.set({ kind: 'garbage', sent, says });
      const failure = await connector.apply(wanted, signal).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'ConnectorError', message: expect.not.stringContaining(strangeWord) });
      expect((failure as { kind: string }).kind).not.toBe('refused');
      proxy.set({ kind: 'none' });
      await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
      expect(await isIn()).toBe(true);
      await end(wanted);
      expect(await isIn()).toBe(false);
    }
  });

  test.each([
    ['from the first word', /^/],
    ['when the holder is taken out', /DELETE \S+\/users\//],
    ['when the note is deleted', /DELETE \/admin\/realms\/\w+\/groups\//],
  ])('when somebody else answers for Keycloak %s at the end, then the access counts as there until it has ended', async (_, sent) => {
    for (const says of answers) {
      const wanted = access({ config: { ...config(), login: 'proxied' } });
      await connector.apply(wanted, signal);
      proxy.set({ kind: 'garbage', sent, says });
      const isThere = await end(wanted)
        .then(() => connector.verify(wanted, signal))
        .catch(() => true);
      expect(isThere).toBe(true);
      proxy.set({ kind: 'none' });
      expect(await connector.verify(wanted, signal)).toBe(true);
      await end(wanted);
      expect([await isIn(), await connector.verify(wanted, signal)]).toEqual([false, false]);
    }
  });

  test.each<[string, (right: object) => object, string, RegExp]>([
    ['a group that there is not', (right) => ({ ...right, roles: { reader: randomUUID() } }), 'refused', /does not know the group/],
    ['something else than an id', (right) => ({ ...right, roles: { reader: '../../users' } }), 'refused', /wrong at roles\.reader/],
    ['a wrong secret', (right) => ({ ...right, login: 'wrong-secret' }), 'refused', /does not accept the client/],
    ['a client that may nothing', (right) => ({ ...right, login: 'idle' }), 'refused', /may not manage members/],
    ['a Keycloak that is not there', (right) => ({ ...right, login: 'nowhere' }), 'failed', /cannot be reached/],
  ])('when the configuration names %s, then it is told so', async (_, wrong, kind, message) => {
    const wanted = access({ config: wrong(config()) as Record<string, unknown> });
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(await isIn()).toBe(false);
  });

  test('when a connection is checked, then people read what to put right', async () => {
    const check = (more: object) =>
      connector.check({ tenantId: randomUUID(), tenantSlug: 'acme', config: { ...config(), ...more }, roles: ['reader'] }, signal);
    expect(await check({})).toEqual([]);
    expect(await check({ roles: { reader: randomUUID() } })).toEqual([{ pointer: '/roles/reader', message: 'is no group of the realm' }]);
    expect(await check({ login: 'wrong-secret' })).toMatchObject([
      { pointer: '/login', message: expect.stringMatching(/does not accept/) },
    ]);
  });
});
