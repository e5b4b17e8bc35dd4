import { type Principal } from '@accessops/authn';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  asGateway,
  asPlatform,
  codeOf,
  fieldsOf,
  type Harness,
  logIn,
  newTenant,
  type Person,
  password,
  startHarness,
  type TestTenant,
} from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const stepMs = 30_000;

/** An authenticator app: each code is of a later step than the one before, for which the service's clock is moved on. */
class App {
  readonly #totp: TOTP;
  #last = 0;

  constructor(secret: string) {
    this.#totp = new TOTP({ secret: Secret.fromBase32(secret) });
  }

  at(step: number): string {
    return this.#totp.generate({ timestamp: step * stepMs });
  }

  next(): string {
    const now = Date.now() + harness.clock.skipMs;
    const step = Math.max(Math.floor(now / stepMs), this.#last + 1);
    harness.clock.skipMs += Math.max(0, step * stepMs - now);
    this.#last = step;
    return this.at(step);
  }

  /** Six digits that are none of the codes around now. */
  wrong(): string {
    const step = Math.floor((Date.now() + harness.clock.skipMs) / stepMs);
    const right = new Set([-2, -1, 0, 1, 2].map((delta) => this.at(step + delta)));
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.has(code)) ?? '';
  }
}

interface Enrolled {
  person: Person;
  app: App;
  secret: string;
  recoveryCodes: string[];
}

let names = 0;
const asOne = (person: Person, more: Partial<Principal> = {}) => acme.as(person, ['requester'], { audience: 'app', ...more });

const enrol = async (): Promise<Enrolled> => {
  const person = await acme.add(`enrolled${++names}`, ['requester']);
  const { secret } = await harness.client.beginTotp({}, await asOne(person));
  const app = new App(secret);
  const { codes } = await harness.client.confirmTotp({ code: app.next() }, await asOne(person));
  return { person, app, secret, recoveryCodes: codes };
};

const login = async ({ email }: Person, code: { totp?: string; recoveryCode?: string } = {}) =>
  harness.client.login({ email, password, ...code }, await anonymously());

const sessionOf = async ({ email }: Person, code: { totp?: string; recoveryCode?: string }) => logIn(harness, email, code);

const toldOf = async ({ id }: Person) =>
  (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === id).map(({ action }) => action);

test('when an authenticator app is enrolled, then it is asked for, the secret is sealed at rest, and every step is told', async () => {
  const person = await acme.add(`enrolled${++names}`, ['requester']);
  expect(await harness.client.getMfa({}, await asOne(person))).toMatchObject({ enrolled: false, recoveryCodesLeft: 0 });

  const begun = await harness.client.beginTotp({}, await asOne(person));
  expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/);
  expect(begun.uri).toContain(`secret=${begun.secret}`);
  expect((await login(person)).accessToken).toBeTruthy();

  const app = new App(begun.secret);
  const { codes } = await harness.client.confirmTotp({ code: app.next() }, await asOne(person));
  expect(new Set(codes).size).toBe(10);
  expect(codes).toEqual(Array(10).fill(expect.stringMatching(/^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/)));
  expect(await harness.client.getMfa({}, await asOne(person))).toMatchObject({ enrolled: true, recoveryCodesLeft: 10 });
  expect(await codeOf(login(person))).toBe('MFA_REQUIRED');
  expect(await toldOf(person)).toEqual(['USER_CREATED', 'MFA_ENROLMENT_STARTED', 'MFA_ENROLLED']);

  const { rows } = await harness.admin.query('select secret from totp where account_id = $1', [person.id]);
  expect(rows[0].secret.includes(Buffer.from(Secret.fromBase32(begun.secret).bytes))).toBe(false);
  const kept = await harness.admin.query("select encode(hash, 'escape') as hash from recovery_code where account_id = $1", [person.id]);
  for (const code of codes) expect(kept.rows.map(({ hash }) => hash)).not.toContain(code);
});

test('when a secret was never confirmed, then beginning again makes another, and the first is worth nothing', async () => {
  const person = await acme.add(`enrolled${++names}`, ['requester']);
  expect(await codeOf(harness.client.confirmTotp({ code: '000000' }, await asOne(person)))).toBe('MFA_NOT_BEGUN');
  const first = new App((await harness.client.beginTotp({}, await asOne(person))).secret);
  const second = new App((await harness.client.beginTotp({}, await asOne(person))).secret);
  expect(await fieldsOf(harness.client.confirmTotp({ code: first.next() }, await asOne(person)))).toEqual(['/code']);
  await harness.client.confirmTotp({ code: second.next() }, await asOne(person));
  expect(await codeOf(harness.client.beginTotp({}, await asOne(person)))).toBe('MFA_ALREADY_ENROLLED');
});

test('when someone signs in with a code, then the tokens tell of it, also after a refresh, for a day', async () => {
  const { person, app } = await enrol();
  const session = await sessionOf(person, { totp: app.next() });
  expect(session.claims).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp'] });
  const events = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === session.sessionId);
  expect(events).toMatchObject([{ action: 'SESSION_STARTED', changes: { secondFactor: { after: 'totp' } } }]);

  const next = await harness.client.refresh({ refreshToken: session.refreshToken }, await anonymously());
  expect(claimsOf(next.accessToken)).toMatchObject({ sid: session.sessionId, acr: 'aal2', amr: ['pwd', 'otp'] });
  harness.clock.skipMs += 24 * 3_600_000;
  const later = await harness.client.refresh({ refreshToken: next.refreshToken }, await anonymously());
  expect(claimsOf(later.accessToken)).toMatchObject({ sid: session.sessionId, acr: 'aal1', amr: ['pwd'] });
});

const claimsOf = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('when the password is wrong, then nothing tells of a second factor, whatever the code', async () => {
  const { person, app } = await enrol();
  const wrong = { email: person.email, password: 'not the right password' };
  for (const code of [{}, { totp: app.next() }, { recoveryCode: 'x' }]) {
    expect(await codeOf(harness.client.login({ ...wrong, ...code }, await anonymously()))).toBe('INVALID_CREDENTIALS');
  }
});

test('when a code is used again, or an older one, then it is refused', async () => {
  const { person, app } = await enrol();
  const code = app.next();
  await login(person, { totp: code });
  expect(await codeOf(login(person, { totp: code }))).toBe('INVALID_MFA_CODE');
  const now = Math.floor((Date.now() + harness.clock.skipMs) / stepMs);
  expect(await codeOf(login(person, { totp: app.at(now - 1) }))).toBe('INVALID_MFA_CODE');
  expect(await codeOf(login(person, { totp: app.next() }))).toBe('ok');
});

test('when one code is used twenty times at once, then it is good once', async () => {
  const { person, app } = await enrol();
  const session = await sessionOf(person, { totp: app.next() });
  const code = app.next();
  const options = await asOne(person, { sessionId: session.sessionId });
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(harness.client.stepUp({ totp: code }, options))));
  expect(codes.filter((outcome) => outcome === 'ok')).toHaveLength(1);
  expect(new Set(codes.filter((outcome) => outcome !== 'ok'))).toEqual(new Set(['INVALID_MFA_CODE', 'TOO_MANY_ATTEMPTS']));
});

test('when codes are guessed, also at once, then five are looked at, and none until five minutes are over', async () => {
  const { person, app } = await enrol();
  const wrong = app.wrong();
  const codes = await Promise.all(Array.from({ length: 12 }, () => codeOf(login(person, { totp: wrong }))));
  expect(codes.filter((outcome) => outcome === 'INVALID_MFA_CODE')).toHaveLength(5);
  expect(codes.filter((outcome) => outcome === 'TOO_MANY_ATTEMPTS')).toHaveLength(7);
  expect((await toldOf(person)).filter((action) => action === 'MFA_FAILED')).toHaveLength(5);
  const refused = await login(person, { totp: app.next() }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'TOO_MANY_ATTEMPTS', members: { retryAfter: expect.any(Number) } });
  harness.clock.skipMs += 5 * 60_000;
  expect(await codeOf(login(person, { totp: app.next() }))).toBe('ok');
});

test('when a recovery code is used, also at once, then it is good once, and the others still are', async () => {
  const { person, recoveryCodes } = await enrol();
  const [first = '', second = ''] = recoveryCodes;
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => codeOf(login(person, { recoveryCode: first }))));
  expect(outcomes.sort()).toEqual(['INVALID_MFA_CODE', 'INVALID_MFA_CODE', 'INVALID_MFA_CODE', 'ok']);
  expect((await sessionOf(person, { recoveryCode: second.toUpperCase().replaceAll('-', ' ') })).claims).toMatchObject({ acr: 'aal2' });
  expect(await harness.client.getMfa({}, await asOne(person))).toMatchObject({ recoveryCodesLeft: 8 });
});

test('when a session steps up, then it goes on with two factors, and its older refresh token is one too many', async () => {
  const { person, app } = await enrol();
  const before = await sessionOf(person, { totp: app.next() });
  await harness.admin.query('update session set second_factor_at = null where id = $1', [before.sessionId]);
  const options = await asOne(person, { sessionId: before.sessionId });
  expect(await codeOf(harness.client.stepUp({}, options))).toBe('MFA_REQUIRED');
  const stepped = await harness.client.stepUp({ totp: app.next() }, options);
  expect(claimsOf(stepped.accessToken)).toMatchObject({ sid: before.sessionId, acr: 'aal2', amr: ['pwd', 'otp'] });
  const events = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === before.sessionId);
  expect(events.map(({ action }) => action)).toEqual(['SESSION_STARTED', 'SESSION_STEPPED_UP']);

  expect(await codeOf(harness.client.refresh({ refreshToken: before.refreshToken }, await anonymously()))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(harness.client.refresh({ refreshToken: stepped.refreshToken }, await anonymously()))).toBe('INVALID_REFRESH_TOKEN');
});

test('when the session has ended, or is of somebody else, then it cannot step up', async () => {
  const { person, app } = await enrol();
  const other = await acme.add(`other${++names}`, ['requester']);
  const foreign = await sessionOf(other, {});
  const tries = [foreign.sessionId, '00000000-0000-7000-8000-0000000000ff', null];
  for (const sessionId of tries)
    expect(await codeOf(harness.client.stepUp({ totp: app.next() }, await asOne(person, { sessionId })))).toBe('SESSION_ENDED');
  const own = await sessionOf(person, { totp: app.next() });
  await harness.client.logout({ refreshToken: own.refreshToken }, await anonymously());
  const options = await asOne(person, { sessionId: own.sessionId });
  expect(await codeOf(harness.client.stepUp({ totp: app.next() }, options))).toBe('SESSION_ENDED');
  expect(await codeOf(harness.client.stepUp({ totp: '000000' }, await asOne(other, { sessionId: foreign.sessionId })))).toBe(
    'MFA_NOT_ENROLLED',
  );
});

test('when recovery codes are renewed or the second factor is given up, then it must have been proved just now', async () => {
  const { person, app, recoveryCodes } = await enrol();
  const session = await sessionOf(person, { totp: app.next() });
  const options = await asOne(person, { sessionId: session.sessionId });
  const { codes } = await harness.client.renewRecoveryCodes({}, options);
  expect(codes).toHaveLength(10);
  expect(await codeOf(login(person, { recoveryCode: recoveryCodes[0] }))).toBe('INVALID_MFA_CODE');

  harness.clock.skipMs += 5 * 60_000;
  const stale = { code: 'INSUFFICIENT_AUTHENTICATION', members: { acrValues: 'aal2', maxAge: 300 } };
  await expect(harness.client.renewRecoveryCodes({}, options)).rejects.toMatchObject(stale);
  await expect(harness.client.removeTotp({}, options)).rejects.toMatchObject(stale);
  await harness.client.stepUp({ recoveryCode: codes[0] }, options);
  await harness.client.removeTotp({}, options);
  expect(await codeOf(harness.client.removeTotp({}, options))).toBe('INSUFFICIENT_AUTHENTICATION');
  expect((await logIn(harness, person.email)).claims).toMatchObject({ acr: 'aal1' });
  expect(await toldOf(person)).toEqual([
    'USER_CREATED',
    'MFA_ENROLMENT_STARTED',
    'MFA_ENROLLED',
    'MFA_RECOVERY_CODES_RENEWED',
    'MFA_FAILED',
    'MFA_REMOVED',
  ]);
});

test('when somebody has lost everything, then an admin takes the second factor, and with it what sessions have proved', async () => {
  const { person, app } = await enrol();
  const session = await sessionOf(person, { totp: app.next() });
  expect(await codeOf(harness.client.removeUserMfa({ userId: person.id }, await asOne(person)))).toBe('PERMISSION_DENIED');
  await harness.client.removeUserMfa({ userId: person.id }, await acme.asAdmin());
  expect(await codeOf(harness.client.removeUserMfa({ userId: person.id }, await acme.asAdmin()))).toBe('MFA_NOT_ENROLLED');
  const told = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === person.id).at(-1);
  expect(told).toMatchObject({ action: 'MFA_REMOVED', actor: { id: acme.admin.id } });
  expect((await logIn(harness, person.email)).claims).toMatchObject({ acr: 'aal1' });
  const next = await harness.client.refresh({ refreshToken: session.refreshToken }, await anonymously());
  expect(claimsOf(next.accessToken)).toMatchObject({ acr: 'aal1' });
});

test('when the person is not of the tenant, or not of it alone, then its admin takes no second factor', async () => {
  const { person } = await enrol();
  const other = await newTenant(harness);
  expect(await codeOf(harness.client.removeUserMfa({ userId: person.id }, await other.asAdmin()))).toBe('USER_NOT_FOUND');
  await harness.admin.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at)
     values ($1, $2, $3, 'Second', 'Name', '{requester}', 1, now(), now())`,
    [other.id, person.id, person.email],
  );
  for (const tenant of [acme, other])
    expect(await codeOf(harness.client.removeUserMfa({ userId: person.id }, await tenant.asAdmin()))).toBe('BELONGS_ELSEWHERE');
});

test('when somebody has a second factor, then an admin without one proved cannot administer', async () => {
  const tenant = await newTenant(harness);
  const as = (more: Partial<Principal>) => tenant.as(tenant.admin, ['admin'], more);
  const team = async (more: Partial<Principal>) => codeOf(harness.client.createTeam({ name: `Team ${++names}` }, await as(more)));
  expect(await team({})).toBe('ok');
  expect(await team({ mfaEnrolled: true })).toBe('INSUFFICIENT_AUTHENTICATION');
  expect(await team({ mfaRequired: true })).toBe('MFA_ENROLMENT_REQUIRED');
  expect(await team({ mfaEnrolled: true, mfaRequired: true, mfaLevel: 2 })).toBe('ok');
  expect(await team({ mfaEnrolled: true, orgRoles: ['requester'] })).toBe('PERMISSION_DENIED');
});

test('when a principal is resolved, then it is told whether there is a second factor', async () => {
  const { person, app } = await enrol();
  const session = await sessionOf(person, { totp: app.next() });
  const question = { subject: person.id, sessionId: session.sessionId, organizations: [acme.slug] };
  expect(await harness.client.resolvePrincipal(question, await asGateway())).toMatchObject({ mfaEnrolled: true });
  const admin = await logIn(harness, acme.admin.email);
  const other = { ...question, subject: acme.admin.id, sessionId: admin.sessionId };
  expect(await harness.client.resolvePrincipal(other, await asGateway())).toMatchObject({ mfaEnrolled: false });
});

test('when the setting demands a second factor, then a principal is told so: by the tenant before the platform', async () => {
  const [tenant, other] = [await newTenant(harness), await newTenant(harness)];
  const key = 'security.require-mfa';
  const isRequired = async ({ admin, slug }: TestTenant) => {
    const session = await logIn(harness, admin.email);
    const question = { subject: admin.id, sessionId: session.sessionId, organizations: [slug] };
    return (await harness.client.resolvePrincipal(question, await asGateway())).mfaRequired;
  };
  expect([await isRequired(tenant), await isRequired(other)]).toEqual([false, false]);
  await harness.client.putSetting({ key, valueJson: 'true' }, await tenant.asAdmin());
  expect([await isRequired(tenant), await isRequired(other)]).toEqual([true, false]);
  await harness.client.putSetting({ key, global: true, valueJson: 'true' }, await asPlatform());
  await harness.client.putSetting({ key, valueJson: 'false' }, await tenant.asAdmin());
  expect([await isRequired(tenant), await isRequired(other)]).toEqual([false, true]);
  await harness.client.deleteSetting({ key, global: true }, await asPlatform());
  expect(await isRequired(other)).toBe(false);
});
