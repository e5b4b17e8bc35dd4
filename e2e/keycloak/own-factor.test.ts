import { authenticator, soonMs, untilWithin } from '@accessops/testing';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { auditOf, call, codeOf, must, type Person, Tenant, until } from '../client.ts';
import { admin } from './keycloak.ts';

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

describe('second factors in Keycloak', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    tenant = await Tenant.create('kcmfa');
  });

  const loginWith = ({ email }: Person, proof: object = {}) =>
    call('POST', '/auth/login', { body: { email, password: tenant.password, ...proof } });
  const acrOf = (token: unknown) => decodeJwt(String(token)).acr;
  const enrol = async (person: Person) => {
    const begun = await must(201, 'POST', '/me/mfa/totp', { token: person.token });
    const code = authenticator(String(begun.secret));
    await must(200, 'POST', '/me/mfa/totp/confirm', { token: person.token, body: { code: await code() } });
    return code;
  };
  const appsThere = async ({ id }: Person) =>
    (await admin<{ id: string; type: string }[]>('GET', `/users/${id}/credentials`)).filter(({ type }) => type === 'otp');

  test('when one was set up on the pages of Keycloak, then it is asked for and counts, and is changed there', async () => {
    const person = await tenant.person('own', ['requester']);
    const credentialData = { subType: 'totp', digits: 6, period: 30, algorithm: 'HmacSHA1', counter: 0, secretEncoding: 'BASE32' };
    const app = { type: 'otp', secretData: JSON.stringify({ value: secret }), credentialData: JSON.stringify(credentialData) };
    await admin('PUT', `/users/${person.id}`, { credentials: [app] });
    // Keycloak says no more than that it refuses.
    expect(codeOf(await loginWith(person))).toBe('INVALID_CREDENTIALS');
    const session = await loginWith(person, { totp: await authenticator(secret)() });
    expect(acrOf(session.body.accessToken)).toBe('aal2');
    const token = String(session.body.accessToken);
    expect(await must(200, 'GET', '/me/mfa', { token })).toMatchObject({ enrolled: true });
    expect(codeOf(await call('POST', '/me/mfa/totp', { token }))).toBe('MFA_ALREADY_ENROLLED');
    expect(codeOf(await call('DELETE', '/me/mfa/totp', { token }))).toBe('MFA_KEPT_ELSEWHERE');
    expect(codeOf(await call('POST', '/me/mfa/recovery-codes', { token }))).toBe('MFA_KEPT_ELSEWHERE');
    expect(codeOf(await tenant.org('DELETE', `/users/${person.id}/mfa`))).toBe('MFA_KEPT_ELSEWHERE');
  });

  test('when a session is to be raised, then the answer is to sign in again', async () => {
    const { token } = await tenant.person('raised', ['requester']);
    const answer = await call('POST', '/auth/step-up', { token, body: { totp: '123456' } });
    expect([answer.status, codeOf(answer)]).toEqual([409, 'SIGN_IN_AGAIN']);
  });

  test('when an administrator of Keycloak takes the one that was set up here, then it is gone here too', async () => {
    const person = await tenant.person('taken', ['requester']);
    await enrol(person);
    expect(codeOf(await loginWith(person))).toBe('MFA_REQUIRED');
    const [app] = await appsThere(person);
    await admin('DELETE', `/users/${person.id}/credentials/${app?.id}`);
    const isGone = async () => (await must(200, 'GET', '/me/mfa', { token: person.token })).enrolled === false;
    await untilWithin(soonMs, 'it is gone here', isGone);
    expect((await loginWith(person)).status).toBe(200);
    const removal = await until('the audit log tells', async () =>
      (await auditOf(tenant.admin, person.id)).find(({ action }) => action === 'MFA_REMOVED'),
    );
    expect(removal).toMatchObject({ actor: { id: 'keycloak' } });
  });

  test('when the factor that a session has proved is given up, then the session counts as one without, whatever its tokens tell', async () => {
    const person = await tenant.person('former', ['admin'], 'org-admin');
    const code = await enrol(person);
    const token = String((await loginWith(person, { totp: await code(), audience: 'org-admin' })).body.accessToken);
    const makeTeam = () => call('POST', '/org/teams', { token, body: { name: `Team ${crypto.randomUUID()}` } });
    expect((await makeTeam()).status).toBe(201);
    const [former] = await appsThere(person);
    expect((await call('DELETE', '/me/mfa/totp', { token })).status).toBe(204);
    await enrol(person);
    expect(acrOf(token)).toBe('aal2');
    const isRefused = async () => codeOf(await makeTeam()) === 'INSUFFICIENT_AUTHENTICATION';
    await untilWithin(soonMs, 'the session counts as one without', isRefused);
    await until('Keycloak has the new one, and it alone', async () => {
      const apps = await appsThere(person);
      return apps.length === 1 && apps[0]?.id !== former?.id;
    });
    expect(former).toBeDefined();
  });
});
