import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Suite, startSuite } from '../suite.ts';
import { createTargetDatabase, logIn, type TargetDatabase } from '../target.ts';

const patience = 90_000;

let target: TargetDatabase;
let proxy: FaultProxy;
let suite: Suite;
beforeAll(async () => {
  target = await createTargetDatabase();
  proxy = await startFaultProxy(target.port);
  const environment = { CONNECTOR_POSTGRES_PROD_URL: target.url(proxy.port), CONNECTOR_POSTGRES_PROD_TENANTS: 'acme' };
  suite = await startSuite({ environment });
  await suite.tellSlug();
});
afterEach(() => proxy.set({ kind: 'none' }));
afterAll(async () => {
  await suite.close();
  await proxy.close();
  await target.drop();
});

const approve = () => suite.approve({ connector: 'postgres', config: { login: 'prod', roles: { reader: [target.roles.reader] } } });
const struck = () => until(() => proxy.struck > 0, { timeoutMs: patience, what: 'the fault' });
const credentialOf = async (grantId: string): Promise<Record<string, unknown>> => {
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId });
  // Holders come straight, not through the proxy.
  return { ...JSON.parse(credentialJson), port: target.port };
};
/** Roles made for the request, as the target itself has them. */
const rolesOf = async (requestId: string) => {
  const job = await suite.job(requestId);
  const name = `accessops_${job?.id.replaceAll('-', '')}`;
  return (await target.sql.query('select rolcanlogin from pg_roles where rolname = $1', [name])).rows;
};
const isRefused = (credential: Record<string, unknown>) =>
  logIn(credential).then(
    (client) => client.end().then(() => false),
    () => true,
  );

test('when nothing goes wrong, then the credential works until the end, and both ends take the access within 5 s', {
  timeout: 4 * patience,
}, async () => {
  const tookMs = async (how: 'expiry' | 'withdrawal' | 'revocation') => {
    const requestId = await approve();
    const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
    const credential = await credentialOf(id);
    const session = await logIn(credential);
    await session.query('select * from customer');
    if (how === 'withdrawal') await suite.withdraw(requestId);
    if (how === 'revocation') await (await suite.as(suite.admin)).revokeGrant({ id });
    const began = how === 'expiry' ? (await suite.endsIn(id, 0)).getTime() : Date.now();
    const { ended_at } = await suite.grantIs(requestId, ['EXPIRED', 'REVOKED'], patience);
    expect(await isRefused(credential)).toBe(true);
    await expect(session.query('select 1')).rejects.toThrow();
    expect(await rolesOf(requestId)).toEqual([]);
    return Number(ended_at) - began;
  };
  // Where the machine has stood still meanwhile, another one tells.
  for (const how of ['expiry', 'withdrawal', 'revocation'] as const)
    await until(async () => (await tookMs(how)) < 5000, { timeoutMs: patience, what: `an end by ${how} within 5 s` });
});

test('when every answer after a change is lost, then the job does not fail before the role is seen to be gone', {
  timeout: 4 * patience,
}, async () => {
  proxy.set({ kind: 'cut-answer', sent: /^Q.{4}commit/s });
  const requestId = await approve();
  await until(async () => ((await suite.job(requestId))?.attempts ?? 0) > 5, { timeoutMs: patience });
  expect(await suite.job(requestId)).not.toMatchObject({ status: 'FAILED' });
  proxy.set({ kind: 'none' });
  await suite.jobIs(requestId, 'FAILED', patience);
  expect(await rolesOf(requestId)).toEqual([]);
  expect(await suite.grant(requestId)).toBeUndefined();
});

test('when the target refuses, then the job fails at once, says why, and nothing is there', async () => {
  const requestId = await suite.approve({ connector: 'postgres', config: { login: 'prod', roles: { reader: [`no'body`] } } });
  const { last_error, id } = await suite.jobIs(requestId, 'FAILED', patience);
  expect(last_error).toBe(`The database refuses: role "no'body" does not exist`);
  const { steps } = await (await suite.as(suite.admin)).getJob({ id });
  expect(steps.filter(({ message }) => message === last_error)).toHaveLength(1);
  expect(await rolesOf(requestId)).toEqual([]);
});

test('when another tenant names the login, then it is refused', async () => {
  const stranger = { ...suite.requester, tenantId: 'b4e7d8a0-0000-7000-8000-000000000001' };
  await suite.tellSlug('globex', stranger.tenantId);
  const config = { login: 'prod', roles: { reader: [target.roles.reader] } };
  const requestId = await suite.approve({ requester: stranger, connector: 'postgres', config });
  expect((await suite.jobIs(requestId, 'FAILED', patience)).last_error).toBe('There is no login "prod" that this organisation may use');
});

test('when the target breaks off while sessions are ended, then that is visible, tried again, and REVOKED only when the role is gone', {
  timeout: 4 * patience,
}, async () => {
  const requestId = await approve();
  const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  const credential = await credentialOf(id);
  proxy.set({ kind: 'cut-before', sent: /pg_terminate_backend/ });
  await (await suite.as(suite.admin)).revokeGrant({ id });
  await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
  expect(await rolesOf(requestId)).toHaveLength(1);
  proxy.set({ kind: 'none' });
  await suite.grantIs(requestId, ['REVOKED'], patience);
  expect(await rolesOf(requestId)).toEqual([]);
  expect(await isRefused(credential)).toBe(true);
  const told = (await suite.actions(requestId)).filter((action) => action.startsWith('GRANT_'));
  expect(told).toEqual(['GRANT_ACTIVATED', 'GRANT_REVOCATION_STARTED', 'GRANT_REVOKE_FAILED', 'GRANT_REVOKED']);
});

test('when the answer to the end is lost, then the end is found to have happened', { timeout: 4 * patience }, async () => {
  const requestId = await approve();
  const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  proxy.set({ kind: 'cut-answer', sent: /drop role/ });
  await (await suite.as(suite.admin)).revokeGrant({ id });
  await struck();
  proxy.set({ kind: 'none' });
  await suite.grantIs(requestId, ['REVOKED'], patience);
  expect(await rolesOf(requestId)).toEqual([]);
});
