import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from '@accessops/telemetry';
import { infrastructure, until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Authorizer, type AuthorizerOptions, createAuthorizer, decisionMetrics, type Question, type Subject } from '../src/index.ts';
import { type OwnCerbos, startOwnCerbos } from './own-cerbos.ts';

const subject = (changed: Partial<Subject> = {}): Subject => ({
  type: 'user',
  id: 'u-1',
  tenantId: 't-1',
  audience: 'app',
  orgRoles: ['reader'],
  realmRoles: [],
  teams: [],
  licenseTier: '',
  flags: [],
  permissions: [],
  mfaLevel: 1,
  mfaEnrolled: false,
  mfaRequired: false,
  riskFlags: [],
  ...changed,
});
const reading = (changed: Partial<Question> = {}): Question => ({
  kind: 'document',
  action: 'read',
  version: 'default',
  attributes: { tenantId: 't-1' },
  ...changed,
});

// A Cerbos that is there answers, however long the machine stands still; one that hangs is not waited for.
const [patientMs, hastyMs] = [600_000, 300];

const open: Authorizer[] = [];
const authorizerFor = (options: AuthorizerOptions) => {
  const authorizer = createAuthorizer({ timeoutMs: patientMs, ...options });
  open.push(authorizer);
  return authorizer;
};
afterEach(() => {
  for (const authorizer of open.splice(0)) authorizer.close();
});

let cerbos: OwnCerbos;
beforeAll(async () => {
  cerbos = await startOwnCerbos();
});
afterAll(() => cerbos.close());

const down = { code: 'DEPENDENCY_UNAVAILABLE', httpStatus: 503 };

describe('decisions', () => {
  test('when policy allows, then the decision says so, with its outputs and an id', async () => {
    const authorizer = authorizerFor({ address: cerbos.address });
    expect(await authorizer.decide(subject(), reading())).toMatchObject({ allowed: true, outputs: [] });
    const writing = await authorizer.authorize(subject({ orgRoles: ['writer'] }), reading({ action: 'write', attributes: { size: 21 } }));
    expect(writing).toMatchObject({ allowed: true, outputs: [{ limit: 42 }], decisionId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  test('when an output of a policy cannot be computed, then nothing is decided', async () => {
    const authorizer = authorizerFor({ address: cerbos.address });
    const writing = authorizer.decide(subject({ orgRoles: ['writer'] }), reading({ action: 'write', attributes: { size: 'large' } }));
    await expect(writing).rejects.toMatchObject({
      ...down,
      cause: new Error('The output of resource.document.vdefault#rule-002 could not be computed'),
    });
  });

  test.each<[string, Partial<Subject>, Partial<Question>]>([
    ['the role is missing', { orgRoles: ['requester'] }, {}],
    ['the tenant is another', {}, { attributes: { tenantId: 't-2' } }],
    ['an attribute is missing', {}, { attributes: {} }],
    ['nobody wrote a rule for the action', {}, { action: 'shred' }],
    ['nobody wrote a policy for the kind', {}, { kind: 'unknown' }],
    ['there is no policy of that version', {}, { version: 'route' }],
  ])('when %s, then it is denied', async (_, who, what) => {
    const authorizer = authorizerFor({ address: cerbos.address });
    expect((await authorizer.decide(subject(who), reading(what))).allowed).toBe(false);
    await expect(authorizer.authorize(subject(who), reading(what))).rejects.toMatchObject({ code: 'PERMISSION_DENIED', httpStatus: 403 });
  });

  test('when a second factor is all that is missing, then that is demanded, and of nobody for whom it would change nothing', async () => {
    const authorizer = authorizerFor({ address: cerbos.address });
    const signing = reading({ action: 'sign' });
    const writer = subject({ orgRoles: ['writer'], mfaEnrolled: true });
    expect(await authorizer.decide(writer, signing)).toMatchObject({ allowed: false, demand: 'aal2' });
    await expect(authorizer.authorize(writer, signing)).rejects.toMatchObject({
      code: 'INSUFFICIENT_AUTHENTICATION',
      httpStatus: 401,
      members: { acrValues: 'aal2' },
    });
    await expect(authorizer.authorize(subject({ orgRoles: ['writer'] }), signing)).rejects.toMatchObject({
      code: 'MFA_ENROLMENT_REQUIRED',
      httpStatus: 401,
      members: { acrValues: 'aal2' },
    });
    expect(await authorizer.authorize(subject({ orgRoles: ['writer'], mfaLevel: 2 }), signing)).toMatchObject({ allowed: true });
    expect(await authorizer.decide(subject(), signing)).not.toHaveProperty('demand');
    await expect(authorizer.authorize(subject(), signing)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', httpStatus: 403 });
  });

  test('when many questions are asked at once, more than Cerbos takes in one call, then each has its answer in its place', async () => {
    const authorizer = authorizerFor({ address: cerbos.address });
    const questions = Array.from({ length: 203 }, (_, index) => reading({ attributes: { tenantId: index % 3 === 0 ? 't-1' : 't-2' } }));
    expect(await authorizer.allowed(subject(), questions)).toEqual(questions.map((_, index) => index % 3 === 0));
    expect(await authorizer.allowed(subject(), [])).toEqual([]);
  });

  test('when the policies of the repository are asked, then roles, teams and tenants count', async () => {
    const authorizer = authorizerFor({ address: infrastructure().cerbosAddress });
    const auditor = subject({ orgRoles: ['auditor'] });
    const verify: Question = { kind: 'audit_event', action: 'verify', version: 'default', attributes: { tenantId: 't-1' } };
    expect((await authorizer.decide(auditor, verify)).allowed).toBe(true);
    expect((await authorizer.decide(auditor, { ...verify, attributes: { tenantId: 't-2' } })).allowed).toBe(false);
    expect((await authorizer.decide(subject(), verify)).allowed).toBe(false);
  });
});

describe('the version of the policies', () => {
  test('when something is decided, then it is told by which policies, also when there are others', async () => {
    const own = await startOwnCerbos();
    const authorizer = authorizerFor({ address: own.address });
    const versionOf = async (who: Partial<Subject>) => (await authorizer.decide(subject(who), reading())).policyVersion;
    expect([await versionOf({}), await versionOf({ id: 'u-2' }), await versionOf({ orgRoles: [] }), await versionOf({})]).toEqual(
      Array(4).fill('one'),
    );
    own.call('two');
    await until(async () => {
      authorizer.forget();
      return (await versionOf({})) === 'two';
    });
    await own.close();
  });
});

/** Runs `work` while Cerbos hangs. */
const whileHanging = async <T>(work: () => Promise<T>): Promise<T> => {
  await cerbos.hang();
  try {
    return await work();
  } finally {
    cerbos.kill('SIGCONT');
  }
};

describe('remembering', () => {
  test('when the same is asked again, then Cerbos is not needed, and for anything else it is', async () => {
    const authorizer = authorizerFor({ address: cerbos.address, ttlMs: 600_000, timeoutMs: hastyMs });
    const decision = await until(() => authorizer.decide(subject(), reading()));
    const denied = await until(() => authorizer.decide(subject(), reading({ action: 'shred' })));
    const others: [Subject, Question][] = [
      [subject({ id: 'u-2' }), reading()],
      [subject({ tenantId: 't-2' }), reading()],
      [subject({ orgRoles: [] }), reading()],
      [subject({ audience: 'org-admin' }), reading()],
      [subject({ teams: [{ id: 'team-1', role: 'member' }] }), reading()],
      [subject({ mfaLevel: 2 }), reading()],
      [subject({ riskFlags: ['new-device'] }), reading()],
      [subject(), reading({ attributes: { tenantId: 't-2' } })],
      [subject(), reading({ attributes: undefined })],
      [subject(), reading({ version: 'route' })],
      [subject(), reading({ kind: 'other' })],
    ];
    await whileHanging(async () => {
      expect(await authorizer.decide(subject(), reading())).toBe(decision);
      expect(await authorizer.decide(subject(), reading({ action: 'shred' }))).toBe(denied);
      const answers = await Promise.allSettled(others.map(([who, what]) => authorizer.decide(who, what)));
      expect(answers.map(({ status }) => status)).toEqual(others.map(() => 'rejected'));
    });
  });

  test('when a crowd asks the same at once, then Cerbos is asked once', async () => {
    const authorizer = authorizerFor({ address: cerbos.address });
    const answers = await Promise.all(Array.from({ length: 50 }, () => authorizer.decide(subject(), reading())));
    expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(1);
  });

  test('when everything is forgotten while a question is on its way, then its answer is not remembered', async () => {
    const authorizer = authorizerFor({ address: cerbos.address, ttlMs: 600_000 });
    await authorizer.isUp();
    const asked = await whileHanging(async () => {
      const deciding = authorizer.decide(subject(), reading());
      authorizer.forget();
      return { deciding };
    });
    const { decisionId } = await asked.deciding;
    expect((await authorizer.decide(subject(), reading())).decisionId).not.toBe(decisionId);
  });

  test('when policies change, then what is remembered holds until its time is over or everything is forgotten', async () => {
    const own = await startOwnCerbos();
    const [long, short] = [600_000, 200].map((ttlMs) => authorizerFor({ address: own.address, ttlMs })) as [Authorizer, Authorizer];
    expect((await long.decide(subject(), reading())).allowed).toBe(true);
    expect((await short.decide(subject(), reading())).allowed).toBe(true);
    own.letRead('somebody-else');
    await until(async () => !(await short.decide(subject(), reading())).allowed, { what: 'the other policy' });
    expect((await long.decide(subject(), reading())).allowed).toBe(true);
    long.forget();
    expect((await long.decide(subject(), reading())).allowed).toBe(false);
    await own.close();
  });

  test('when Cerbos did not answer, then that is not remembered', async () => {
    const authorizer = authorizerFor({ address: cerbos.address, timeoutMs: hastyMs });
    await whileHanging(() => expect(authorizer.decide(subject(), reading())).rejects.toMatchObject(down));
    expect(await until(() => authorizer.decide(subject(), reading()))).toMatchObject({ allowed: true });
  });
});

test('when decisions are measured, then it is told where they come from, how long Cerbos took, and when it did not answer', async () => {
  const registry = new Registry();
  const watch = decisionMetrics(registry);
  const authorizer = authorizerFor({ address: cerbos.address, ttlMs: 600_000, watch });
  const hasty = authorizerFor({ address: cerbos.address, timeoutMs: hastyMs, watch });
  await Promise.all([1, 2, 3].map(() => authorizer.decide(subject(), reading())));
  await authorizer.decide(subject(), reading());
  await authorizer.allowed(subject(), [reading(), reading()]);
  await whileHanging(() => expect(hasty.decide(subject(), reading())).rejects.toMatchObject(down));
  const told = (await registry.metrics())
    .split('\n')
    .filter((line) => /^accessops_(decisions_total|cerbos_duration_seconds_count)/.test(line));
  expect(told.toSorted()).toEqual([
    'accessops_cerbos_duration_seconds_count{outcome="answered"} 2',
    'accessops_cerbos_duration_seconds_count{outcome="failed"} 1',
    'accessops_decisions_total{source="cerbos"} 3',
    'accessops_decisions_total{source="memory"} 3',
  ]);
});

describe('a Cerbos that does not answer', () => {
  const refused = (work: Promise<unknown>) => expect(work).rejects.toMatchObject(down);

  test('when it hangs, then every question is refused sooner than by who waits longer, and none is allowed', async () => {
    // As patient as a process is that was told nothing else.
    const authorizer = createAuthorizer({ address: cerbos.address });
    open.push(authorizer);
    const slower = authorizerFor({ address: cerbos.address, timeoutMs: 20_000 });
    const other = subject({ id: 'u-2' });
    await until(() => authorizer.decide(subject(), reading()));
    await slower.isUp();
    const waiting = await whileHanging(async () => {
      let isOver = false;
      const deciding = slower.decide(other, reading()).finally(() => {
        isOver = true;
      });
      deciding.catch(() => undefined);
      await Promise.all([
        refused(authorizer.decide(other, reading())),
        refused(authorizer.authorize(other, reading({ action: 'shred' }))),
        refused(authorizer.allowed(other, [reading()])),
        expect(authorizer.isUp()).resolves.toBe(false),
      ]);
      expect(isOver).toBe(false);
      return { deciding };
    });
    expect((await waiting.deciding).allowed).toBe(true);
    await until(() => authorizer.isUp());
    expect((await until(() => authorizer.decide(other, reading()))).allowed).toBe(true);
  });

  test('when policies are about to change, then it is waited for', async () => {
    const authorizer = authorizerFor({ address: cerbos.address, timeoutMs: hastyMs });
    await until(() => authorizer.isUp());
    const { deciding } = await whileHanging(async () => {
      authorizer.bePatient();
      const deciding = authorizer.decide(subject({ id: 'u-9' }), reading());
      deciding.catch(() => undefined);
      await delay(2 * hastyMs);
      return { deciding };
    });
    expect(await deciding).toMatchObject({ allowed: true });
  });

  test('when it is gone, then questions are refused at once, and answered again when it is back', async () => {
    const own = await startOwnCerbos();
    const authorizer = authorizerFor({ address: own.address });
    await authorizer.decide(subject(), reading());
    await own.replace();
    const back = await until(() => authorizer.decide(subject({ id: 'u-2' }), reading()), { what: 'an answer' });
    expect(back.allowed).toBe(true);
    await own.close();
    // Of the time that it would wait next to nothing is over.
    await refused(authorizer.decide(subject({ id: 'u-3' }), reading()));
  });

  test('when nobody listens at its address, then questions are refused at once', async () => {
    const authorizer = authorizerFor({ address: '127.0.0.1:1' });
    await refused(authorizer.decide(subject(), reading()));
    expect(await authorizer.isUp()).toBe(false);
  });
});
