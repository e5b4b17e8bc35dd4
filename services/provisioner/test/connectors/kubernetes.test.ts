import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { createKubernetesConnector } from '../../src/connectors/kubernetes/kubernetes.ts';
import { newAccess } from '../access.ts';
import { openKubeCluster } from '../kube-cluster.ts';
import { patient } from '../patient.ts';
import { describeExtension } from '../targets/describe-extension.ts';
import { startKubernetes } from '../targets/kubernetes.ts';

const patience = 60_000;
const signal = new AbortController().signal;
const cluster = await openKubeCluster();

describe.runIf(cluster)('access to namespaces', { timeout: 3 * patience }, () => {
  if (!cluster) return;
  let impatient: Connector;
  let connector: Connector;
  let address: { URL: string; CA: string };
  const namespace = `team-${newId().slice(-12)}`;
  beforeAll(async () => {
    address = cluster.secure(cluster.port);
    const login = (name: string, more: object = {}) =>
      [name, { name, settings: { ...address, TOKEN: cluster.token, ...more }, tenants: new Set(['acme']) }] as const;
    impatient = createKubernetesConnector(
      new Map([login('main'), login('wrong-token', { TOKEN: 'no' }), login('nowhere', { URL: 'https://127.0.0.1:1' })]),
    );
    connector = patient(impatient);
    await cluster.makeNamespace(namespace);
  });
  afterAll(async () => {
    await cluster.core.deleteNamespace({ name: namespace });
    await cluster.close();
  });

  const config = { login: 'main', namespace, roles: { viewer: 'view', editor: 'edit' } };
  const access = (partial: Partial<Access> = {}): Access => newAccess({ resourceKey: 'cluster', role: 'viewer', config, ...partial });
  const end = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, signal);
  const maps = (where: string) => `/api/v1/namespaces/${where}/configmaps`;
  const look = (credential: Record<string, unknown>, where = namespace) => cluster.as(credential.token, 'GET', maps(where));
  // The API server hears of new bindings a moment later, and remembers good tokens for ten seconds.
  const becomes = (status: number, credential: Record<string, unknown>, where?: string) =>
    until(async () => (await look(credential, where)) === status, { timeoutMs: patience, what: `an answer ${status}` });
  const note = { metadata: { generateName: 'note-' } };

  test('when access is made, then its token can do in the namespace what the role can, and nothing anywhere else', async () => {
    const [viewing, editing] = [access(), access({ role: 'editor' })];
    const [viewer, editor] = [(await connector.apply(viewing, signal)).credential, (await connector.apply(editing, signal)).credential];
    expect(viewer).toEqual({ server: address.URL, certificateAuthority: address.CA, namespace, token: expect.any(String) });
    await Promise.all([becomes(200, viewer), becomes(200, editor)]);
    expect(await cluster.as(editor.token, 'POST', maps(namespace), note)).toBe(201);
    const forbidden: [Record<string, unknown>, string, string, object?][] = [
      [viewer, 'POST', maps(namespace), note],
      [editor, 'POST', maps('default'), note],
      [editor, 'GET', '/api/v1/namespaces'],
      [editor, 'GET', '/api/v1/namespaces/accessops/secrets'],
      [editor, 'DELETE', `/api/v1/namespaces/${namespace}`],
      [editor, 'GET', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`],
    ];
    for (const [who, method, path, body] of forbidden) {
      expect([method, path, await cluster.as(who.token, method, path, body)]).toEqual([method, path, 403]);
    }
    await Promise.all([end(viewing), end(editing)]);
  });

  test('when access ends, then its token can do nothing any more, and is soon unknown', async () => {
    const wanted = access();
    const { credential } = await connector.apply(wanted, signal);
    await becomes(200, credential);
    expect(await connector.verify(wanted, signal)).toBe(true);
    await end(wanted);
    await until(async () => (await look(credential)) !== 200);
    expect(await connector.verify(wanted, signal)).toBe(false);
    await becomes(401, credential);
    await end(wanted);
  });

  test('when access is extended, then there is a token that lasts longer, and both are good until the end', async () => {
    const wanted = access({ durationMs: 900_000 });
    await expect(connector.extend?.(wanted, signal)).rejects.toMatchObject({ kind: 'refused' });
    const { credential } = await connector.apply(wanted, signal);
    const longer = await connector.extend?.({ ...wanted, fence: 2, durationMs: 3_600_000 }, signal);
    const endOf = (token: unknown): number => JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).exp;
    expect(endOf(longer?.token) - endOf(credential.token)).toBeGreaterThan(2000);
    await Promise.all([becomes(200, credential), becomes(200, longer ?? {})]);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await end(wanted);
    await Promise.all([becomes(401, credential), becomes(401, longer ?? {})]);
  });

  test('when no namespace is named, then there is one of its own, which goes with the access', async () => {
    const wanted = access({ config: { ...config, namespace: undefined }, role: 'editor' });
    const { credential } = await connector.apply(wanted, signal);
    const own = String(credential.namespace);
    expect(own).toBe(`accessops-${wanted.key.replaceAll('-', '')}`);
    await becomes(200, credential, own);
    expect(await cluster.as(credential.token, 'POST', maps(own), note)).toBe(201);
    await end(wanted);
    expect(await connector.verify(wanted, signal)).toBe(false);
    await until(
      () =>
        cluster.core.readNamespace({ name: own }).then(
          () => false,
          () => true,
        ),
      { timeoutMs: patience },
    );
  });

  test('when it is applied twice under one key, then the later token counts, and the former does not', async () => {
    const wanted = access();
    const first = await connector.apply(wanted, signal);
    const second = await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
    await becomes(200, second.credential);
    await becomes(401, first.credential);
    const { items } = await cluster.core.listNamespacedServiceAccount({
      namespace: 'accessops',
      labelSelector: `accessops/access=${wanted.key}`,
    });
    expect(items).toHaveLength(1);
    await end(wanted);
  });

  test('when an earlier worker comes late, then it neither makes nor takes anything', async () => {
    const wanted = access();
    const { credential } = await connector.apply({ ...wanted, fence: 2 }, signal);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await connector.revoke(wanted, signal);
    await becomes(200, credential);
    await end(wanted);
  });

  test('when several apply at once, then after the end nothing is there', async () => {
    const wanted = access();
    await Promise.allSettled([1, 2, 3].map((fence) => connector.apply({ ...wanted, fence }, signal)));
    await end(wanted);
    expect(await connector.verify(wanted, signal)).toBe(false);
  });

  test.each([
    ['a login that there is not', { ...config, login: 'other' }, 'refused', /no login "other"/],
    ['a namespace that is none', { ...config, namespace: '../kube-system' }, 'refused', /wrong at namespace/],
    ['a namespace of Kubernetes', { ...config, namespace: 'kube-system' }, 'refused', /wrong at namespace/],
    ['a namespace that is not there', { ...config, namespace: 'nowhere-at-all' }, 'refused', /"nowhere-at-all" not found/],
    ['a role that may not be given', { ...config, roles: { viewer: 'cluster-admin' } }, 'refused', /cluster-admin|attempting to grant/],
    ['a wrong token', { ...config, login: 'wrong-token' }, 'refused', /does not accept the token/],
    ['a cluster that is not there', { ...config, login: 'nowhere' }, 'failed', /cannot be reached/],
  ])('when the configuration names %s, then it is told so', async (_, wrong, kind, message) => {
    const wanted = access({ config: wrong });
    const hands = kind === 'refused' ? connector : impatient;
    await expect(hands.apply(wanted, signal)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    await impatient.revoke({ ...wanted, fence: finalFence }, signal).catch(() => undefined);
  });

  test('when a connection is checked, then people read what to put right', async () => {
    const check = (more: object) =>
      connector.check({ tenantId: newId(), tenantSlug: 'acme', config: { ...config, ...more }, roles: ['viewer'] }, signal);
    expect(await check({})).toEqual([]);
    expect(await check({ namespace: undefined })).toEqual([]);
    for (const where of [namespace, undefined]) {
      expect(await check({ namespace: where, roles: { viewer: 'cluster-admin' } })).toEqual([
        { pointer: '/roles/viewer', message: expect.stringMatching(/^cannot be bound by this login: .*attempting to grant/s) },
      ]);
      expect(await check({ namespace: where, roles: { viewer: 'no-such-role' } })).toMatchObject([{ pointer: '/roles/viewer' }]);
    }
    expect(await check({ namespace: 'nowhere-at-all' })).toEqual([{ pointer: '/namespace', message: 'does not exist at the target' }]);
    expect(await check({ login: 'other' })).toEqual([{ pointer: '/login', message: 'is no login that this organisation may use' }]);
    expect(await check({ login: 'wrong-token' })).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/does not accept/) }]);
  });
});

describeExtension(await startKubernetes(), { renews: true });
