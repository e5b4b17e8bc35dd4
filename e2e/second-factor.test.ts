import { authenticator } from '@accessops/testing';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, auditOf, call, codeOf, login, must, type Person, rememberSecret, Tenant, until } from './client.ts';

interface Enrolled {
  person: Person;
  code: () => Promise<string>;
  recoveryCodes: string[];
}

// Runs on the local provider and on a real Keycloak, whose tokens tell of the factor by themselves.
describe('the second factor', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    tenant = await Tenant.create('mfa');
  });

  const enrol = async (name: string, orgRoles = ['requester'], audience?: string): Promise<Enrolled> => {
    const person = await tenant.person(name, orgRoles, audience);
    const { secret } = await must(201, 'POST', '/me/mfa/totp', { token: person.token });
    rememberSecret(String(secret));
    const code = authenticator(String(secret));
    const { recoveryCodes } = await must(200, 'POST', '/me/mfa/totp/confirm', { token: person.token, body: { code: await code() } });
    return { person, code, recoveryCodes: recoveryCodes as string[] };
  };
  const loginWith = ({ email }: Person, proof: object = {}, password = tenant.password) =>
    call('POST', '/auth/login', { body: { email, password, ...proof } });
  const factorOf = ({ body }: Answer) => {
    const { acr, amr } = decodeJwt(String(body.accessToken));
    return { acr, amr };
  };
  const proved = { acr: 'aal2', amr: ['pwd', 'otp'] };

  test('when somebody has enrolled, then signing in asks for it after the right password only, and the tokens tell of it', async () => {
    const { person, code, recoveryCodes } = await enrol('enrolled');
    expect(await must(200, 'GET', '/me/mfa', { token: person.token })).toMatchObject({ enrolled: true, recoveryCodesLeft: 10 });
    expect(codeOf(await call('POST', '/me/mfa/totp', { token: person.token }))).toBe('MFA_ALREADY_ENROLLED');
    expect(codeOf(await loginWith(person))).toBe('MFA_REQUIRED');
    expect(codeOf(await loginWith(person, { recoveryCode: recoveryCodes[0] }, 'not the right password'))).toBe('INVALID_CREDENTIALS');
    expect(codeOf(await loginWith(person, { recoveryCode: 'nothing-of-the-sort' }))).toBe('INVALID_MFA_CODE');

    const totp = await code();
    const session = await loginWith(person, { totp });
    expect(factorOf(session)).toEqual(proved);
    expect(codeOf(await loginWith(person, { totp }))).toBe('INVALID_MFA_CODE');
    const next = await call('POST', '/auth/refresh', { body: { refreshToken: session.body.refreshToken } });
    expect(factorOf(next)).toEqual(proved);
    expect((await must(200, 'GET', '/me', { token: String(next.body.accessToken) })).id).toBe(person.id);
  });

  test('when the app is lost, then a recovery code signs in, once, and the factor can be given up', async () => {
    const { person, recoveryCodes } = await enrol('lost');
    const [first, second] = recoveryCodes;
    expect(codeOf(await call('DELETE', '/me/mfa/totp', { token: person.token }))).toBe('INSUFFICIENT_AUTHENTICATION');
    const session = await loginWith(person, { recoveryCode: first });
    expect(factorOf(session)).toEqual(proved);
    expect(codeOf(await loginWith(person, { recoveryCode: first }))).toBe('INVALID_MFA_CODE');
    const token = String(session.body.accessToken);
    const { recoveryCodes: renewed } = await must(200, 'POST', '/me/mfa/recovery-codes', { token });
    expect(codeOf(await loginWith(person, { recoveryCode: second }))).toBe('INVALID_MFA_CODE');
    expect((await loginWith(person, { recoveryCode: (renewed as string[])[0] })).status).toBe(200);
    expect((await call('DELETE', '/me/mfa/totp', { token })).status).toBe(204);
    expect(factorOf(await loginWith(person))).toEqual({ acr: 'aal1', amr: ['pwd'] });
    await enrol('lost-twice');
  });

  test('when codes are guessed, then five are looked at, however many come at once', async () => {
    const { person, code } = await enrol('guessed');
    const wrong = Array.from({ length: 8 }, (_, index) => loginWith(person, { recoveryCode: `guess-${index}` }));
    const codes = (await Promise.all(wrong)).map(codeOf).sort();
    expect(codes).toEqual([...Array(5).fill('INVALID_MFA_CODE'), ...Array(3).fill('TOO_MANY_ATTEMPTS')]);
    expect(codeOf(await loginWith(person, { totp: await code() }))).toBe('TOO_MANY_ATTEMPTS');
  });

  test('when an admin has enrolled, then what changes the organisation is refused until the factor is proved', async () => {
    const { person, code } = await enrol('boss', ['admin'], 'org-admin');
    const makeTeam = (token: string) => call('POST', '/org/teams', { token, body: { name: `Team ${crypto.randomUUID()}` } });
    await until('refused', async () => codeOf(await makeTeam(person.token)) === 'INSUFFICIENT_AUTHENTICATION');
    // A session of Keycloak cannot be raised: there one signs in again.
    const proof = { totp: await code() };
    const raised =
      inject('provider') === 'local'
        ? await call('POST', '/auth/step-up', { token: person.token, body: proof })
        : await loginWith(person, { ...proof, audience: 'org-admin' });
    expect(factorOf(raised)).toEqual(proved);
    expect((await makeTeam(String(raised.body.accessToken))).status).toBe(201);
  });

  test('when somebody has lost everything, then an admin takes the factor, and another can be set up', async () => {
    const { person } = await enrol('helpless');
    expect((await tenant.org('DELETE', `/users/${person.id}/mfa`)).status).toBe(204);
    expect(codeOf(await tenant.org('DELETE', `/users/${person.id}/mfa`))).toBe('MFA_NOT_ENROLLED');
    const session = await login(person.email, tenant.password);
    expect(session.status).toBe(200);
    const token = String(session.body.accessToken);
    const { secret } = await must(201, 'POST', '/me/mfa/totp', { token });
    const code = authenticator(String(secret));
    expect((await call('POST', '/me/mfa/totp/confirm', { token, body: { code: await code() } })).status).toBe(200);
    expect(factorOf(await loginWith(person, { totp: await code() }))).toEqual(proved);
    await until('the audit log tells', async () => {
      const actions = (await auditOf(tenant.admin, person.id))
        .map(({ action }) => action)
        .filter((action) => String(action).startsWith('MFA'));
      return actions.join() === 'MFA_ENROLMENT_STARTED,MFA_ENROLLED,MFA_REMOVED,MFA_ENROLMENT_STARTED,MFA_ENROLLED';
    });
  });
});
