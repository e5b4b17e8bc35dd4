import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configProblems } from '@accessops/connectors';
import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { createModulePlace, handsOf, roomAccess, token } from '../module-place.ts';
import { patient } from '../patient.ts';
import { startSuite } from '../suite.ts';
import { variablesOf } from '../targets/real-target.ts';

const never = new AbortController().signal;

/** The same program, which says and believes that it is of another version; answers its path. */
const anotherVersion = (program: string, folder: string): string => {
  const told = execFileSync(program, ['version', '-json'], { encoding: 'utf8', env: {} });
  const version = /"terraform_version": "(\d+\.\d+\.\d+)/.exec(told)?.[1];
  if (!version) throw new Error(`no version in ${told}`);
  const other = version.replace(/\d$/, (digit) => (digit === '0' ? '1' : '0'));
  const bytes = readFileSync(program);
  for (let at = bytes.indexOf(version); at >= 0; at = bytes.indexOf(version, at + 1)) bytes.write(other, at);
  const path = join(folder, 'other-version');
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
};

const place = await createModulePlace();

describe.runIf(place)('access by modules', { timeout: 300_000 }, () => {
  if (!place) return;
  let proxy: FaultProxy;
  let impatient: Connector;
  let connector: Connector;
  beforeAll(async () => {
    proxy = await startFaultProxy(place.statePort);
    impatient = handsOf(place, {
      main: {},
      proxy: { STATE_URL: place.settings(proxy.port).STATE_URL },
      'no-program': { PROGRAM: '/no/such/program' },
      'other-version': { PROGRAM: anotherVersion(place.settings().PROGRAM, place.room) },
    });
    connector = patient(impatient);
  });
  afterEach(() => proxy.set({ kind: 'none' }));
  afterAll(async () => {
    await connector.close?.();
    await proxy.close();
    await place.close();
  });

  const access = (variables: object = {}, partial: Partial<Access> & { module?: string; login?: string; timeoutSeconds?: number } = {}) => {
    const { module = 'account', login = 'main', timeoutSeconds, ...rest } = partial;
    return roomAccess({
      config: { login, module, variables, ...(timeoutSeconds ? { timeoutSeconds } : {}) },
      ...rest,
    });
  };
  const end = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, never);
  const isGone = async (wanted: Access) => {
    expect(await connector.verify(wanted, never)).toBe(false);
    expect(place.things(wanted.key)).toEqual([]);
    expect(await place.states()).not.toContain(wanted.key);
  };

  test('when access is made and ended, then what the module makes is there in between, and no state of it afterwards', async () => {
    const wanted = access();
    const { handle, credential } = await connector.apply(wanted, never);
    expect(credential).toEqual({ username: wanted.key, password: expect.any(String) });
    expect(handle).toEqual({ module: 'account', workspace: wanted.key });
    expect(place.things(wanted.key)).toEqual([`${wanted.key}.account`, `${wanted.key}.badge`]);
    expect(place.account(wanted.key)).toBe(`${credential.password}\n`);
    expect(await connector.verify(wanted, never)).toBe(true);
    expect(await connector.list?.({ ...wanted, tenantSlug: 'acme', expected: [] }, never)).toContainEqual({
      key: wanted.key,
      name: wanted.key,
      kind: 'state',
      inForce: true,
    });
    // Once more: the same access, and a credential that works.
    expect((await connector.apply({ ...wanted, attempt: 2, fence: 2 }, never)).credential).toEqual(credential);
    await end(wanted);
    await isGone(wanted);
    await end(wanted);
    await expect(connector.apply({ ...wanted, fence: 7 }, never)).rejects.toMatchObject({ kind: 'failed' });
    await isGone(wanted);
  });

  test('when access is planned, then people read steps without values, and nothing is left of the plan', async () => {
    const wanted = access({}, { parameters: { note: 'a note of the requester' } });
    const { steps, saved } = await connector.plan(wanted, never);
    expect(steps).toEqual([
      `Apply the module account under the name ${wanted.key}`,
      'Create terraform_data.account',
      'Create terraform_data.badge',
      'Create terraform_data.password',
      'At the end: destroy all that it has made',
    ]);
    expect(saved).toBeDefined();
    expect(steps.join()).not.toMatch(new RegExp(`${token}|note`));
    await isGone(wanted);
  });

  test('when somebody reads the plan of access that has ended, or was never begun, then nothing is left of it in the state database', async () => {
    const listed = async ({ key }: Access) =>
      (await connector.list?.({ ...access(), expected: [] }, never))?.filter((found) => found.key === key);
    const [ended, never_] = [access(), access()];
    await connector.apply(ended, never);
    for (const wanted of [ended, never_]) {
      await end(wanted);
      expect((await connector.plan(wanted, never)).steps).toContain('Create terraform_data.account');
      await isGone(wanted);
      expect(await listed(wanted)).toEqual([]);
    }
  });

  test('when a plan was approved, then just that is applied, whatever the settings are by then', async () => {
    const wanted = access({}, { parameters: { note: 'as approved' } });
    const savedPlan = (await connector.plan(wanted, never)).saved ?? null;
    const changed = { ...wanted, savedPlan, parameters: { note: 'as changed' } };
    await connector.apply(changed, never);
    expect(place.account(wanted.key)).toMatch(/\nas approved$/);
    expect((await connector.plan(wanted, never)).steps).toContain('Create terraform_data.account');
    await end(wanted);
    await isGone(wanted);
  });

  test('when the state has moved on since the plan, then it is planned anew, and refused if it takes more than was approved', async () => {
    const wanted = access();
    const savedPlan = (await connector.plan(wanted, never)).saved ?? null;
    const { credential } = await connector.apply({ ...wanted, savedPlan }, never);
    expect((await connector.apply({ ...wanted, savedPlan, fence: 2 }, never)).credential).toEqual(credential);
    const more = { ...wanted, savedPlan, fence: 3, config: access({ extra: true }).config };
    await expect(connector.apply(more, never)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('Create terraform_data.extra[0]'),
    });
    await end(wanted);
    await isGone(wanted);
  });

  test('when the program is of another version than at the approval, then what was approved is planned anew, and applied if it is the same', async () => {
    const wanted = access({}, { parameters: { note: 'as approved' } });
    const savedPlan = (await connector.plan(wanted, never)).saved ?? null;
    const { config } = access({}, { login: 'other-version' });
    const { credential } = await connector.apply({ ...wanted, savedPlan, config, parameters: { note: 'as changed' } }, never);
    expect(place.account(wanted.key)).toBe(`${credential.password}\nas approved`);
    await end(wanted);
    await isGone(wanted);
  });

  test('when that would do something else by now, then it is refused, and nothing is made', async () => {
    const wanted = access();
    const savedPlan = (await connector.plan(wanted, never)).saved ?? '';
    // As if the module had been another one then: the same resources, with other values.
    const approved = savedPlan.replace(`"gate":""`, `"gate":"other"`);
    expect(approved).not.toBe(savedPlan);
    const { config } = access({}, { login: 'other-version' });
    for (const [fence, saved] of [approved, JSON.stringify({ ...JSON.parse(savedPlan), changes: undefined })].entries())
      await expect(connector.apply({ ...wanted, savedPlan: saved, config, fence: fence + 1 }, never)).rejects.toMatchObject({
        kind: 'refused',
        message: expect.stringMatching(/another one than at the approval.*ask for the access anew/),
      });
    expect(place.things(wanted.key)).toEqual([]);
    await end(wanted);
    await isGone(wanted);
  });

  test.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what the program would read as an expression.
    '${file("/etc/passwd")}',
    '%{ for x in [1] }x%{ endfor }',
    `"; touch /tmp/pwned; '$(id)' \`id\` \\ \n -var=x`,
    '"}}\n resource "terraform_data" "x" {}',
    'ünïcødé 🦊 \u2028',
  ])('when somebody asks with the parameter %j, then it is a value and nothing else', async (note) => {
    const wanted = access({}, { parameters: { note } });
    const { saved, steps } = await connector.plan(wanted, never);
    expect(steps).toHaveLength(5);
    await connector.apply({ ...wanted, savedPlan: saved ?? null }, never);
    expect(place.account(wanted.key)?.split('\n').slice(1).join('\n')).toBe(note);
    await end(wanted);
    await isGone(wanted);
  });

  test.each(['../account', 'a/b', '/etc', '.', '', 'A', 'x'.repeat(64), '-chdir'])(
    'when the module is called %j, then it is refused',
    async (module) => {
      expect(configProblems('opentofu', { login: 'main', module }, [])).toMatchObject([{ pointer: '/module' }]);
      await expect(connector.apply(access({}, { module }), never)).rejects.toMatchObject({ kind: 'refused' });
    },
  );

  test('when a variable is one that every module is given, then the configuration is refused', () => {
    expect(configProblems('opentofu', { login: 'main', module: 'account', variables: { access_key: 'x' } }, [])).toHaveLength(1);
    expect(configProblems('opentofu', { login: 'main', module: 'account', variables: { gate: 'x' } }, [])).toEqual([]);
  });

  test('when the module fails half way, then people read where but no secret, and what it had made is taken away', async () => {
    const wanted = access({ broken: 'badge' });
    const failure = await connector.apply(wanted, never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'unknown', message: expect.stringContaining('local-exec provisioner error') });
    expect(JSON.stringify([failure, (failure as Error).message, (failure as Error).stack])).not.toContain(token);
    expect(place.things(wanted.key)).toEqual([`${wanted.key}.account`]);
    await end(wanted);
    await isGone(wanted);
  });

  test('when another attempt does better, then what was half made is part of it', async () => {
    const wanted = access({ broken: 'badge' });
    const savedPlan = (await connector.plan(wanted, never)).saved ?? null;
    await expect(connector.apply({ ...wanted, savedPlan }, never)).rejects.toMatchObject({ kind: 'unknown' });
    const { credential } = await connector.apply({ ...wanted, savedPlan, fence: 2, config: access().config }, never);
    expect(place.account(wanted.key)).toBe(`${credential.password}\n`);
    expect(place.things(wanted.key)).toHaveLength(2);
    await end(wanted);
    await isGone(wanted);
  });

  test.each([
    ['has no credential that is a secret', { module: 'leaky' }, {}, 'refused', /not marked as sensitive/],
    ['is not there', { module: 'nothing' }, {}, 'refused', /no module "nothing"/],
    ['is given what it cannot take', {}, { extra: 'neither' }, 'refused', /Invalid value/],
    ['has no program to run it', { login: 'no-program' }, {}, 'failed', /not installed/],
  ] as const)('when the module %s, then that is said, and nothing is there', async (_, partial, variables, kind, message) => {
    const wanted = access(variables, partial);
    for (const call of [connector.plan, connector.apply])
      await expect(call(wanted, never)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    await end(wanted);
    expect(await place.states()).not.toContain(wanted.key);
  });

  test('when time is up, then the module is stopped with all that it has started, no lock is left, and nothing is orphaned', async () => {
    const wanted = access({ gate: 'badge-before' }, { timeoutSeconds: 30 });
    const signal = new AbortController();
    const applying = impatient.apply(wanted, signal.signal).catch((error: unknown) => error);
    const group = await place.atGate(wanted.key);
    const runs = async () => {
      try {
        return process.kill(-group, 0);
      } catch {
        return false;
      }
    };
    expect(await runs()).toBe(true);
    signal.abort();
    expect(await applying).toMatchObject({ kind: 'unknown' });
    await until(async () => !(await runs()), { what: 'the end of all that it has started' });
    await until(async () => (await place.locks()) === 0, { what: 'no lock' });
    expect(await connector.verify(wanted, never)).toBe(true);
    await end({ ...wanted, config: access().config });
    await isGone(wanted);
  });

  test('when the state cannot be reached, then nothing is begun, and another attempt does it once it can', async () => {
    const wanted = access({}, { login: 'proxy' });
    proxy.set({ kind: 'down' });
    for (const call of [impatient.plan, impatient.apply, impatient.revoke])
      await expect(call(wanted, never)).rejects.toMatchObject({ kind: 'failed' });
    expect(place.things(wanted.key)).toEqual([]);
    proxy.set({ kind: 'none' });
    await connector.apply({ ...wanted, fence: 2 }, never);
    expect(place.things(wanted.key)).toHaveLength(2);
    await end(wanted);
    await isGone(wanted);
  });

  test('when the state is lost in the middle of a run, then what the run has made is found again', async () => {
    const wanted = access({ gate: 'account-after' }, { login: 'proxy' });
    const applying = impatient.apply(wanted, never).catch((error: unknown) => error);
    await place.atGate(wanted.key);
    proxy.set({ kind: 'down' });
    place.openGate();
    expect(await applying).toMatchObject({ kind: 'unknown' });
    proxy.set({ kind: 'none' });
    expect(await connector.verify(wanted, never)).toBe(true);
    await end(wanted);
    place.closeGate();
    await isGone(wanted);
  });

  test('when several are made at once, then none is in the way of another', async () => {
    const wanted = Array.from({ length: 5 }, () => access());
    const made = await Promise.all(wanted.map((each) => connector.apply(each, never)));
    for (const [index, { credential }] of made.entries()) expect(place.account(wanted[index]?.key ?? '')).toBe(`${credential.password}\n`);
    await Promise.all(wanted.map(end));
    for (const each of wanted) await isGone(each);
  });

  test('when a late worker comes, then it changes nothing', async () => {
    const wanted = access();
    await connector.apply({ ...wanted, fence: 2 }, never);
    await expect(connector.apply(wanted, never)).rejects.toMatchObject({ kind: 'failed' });
    await connector.revoke(wanted, never);
    expect(place.things(wanted.key)).toHaveLength(2);
    await end(wanted);
    await isGone(wanted);
  });

  test('when the state says that all is gone but the check of the module does not, then the access counts as there', async () => {
    const wanted = access();
    await connector.apply(wanted, never);
    await end(wanted);
    writeFileSync(join(place.room, `${wanted.key}.badge`), '');
    expect(await connector.verify(wanted, never)).toBe(true);
  });

  test('when a connection is checked, then what somebody has to put right is named', async () => {
    const check = (config: object, tenantSlug = 'acme') =>
      connector.check({ tenantId: newId(), tenantSlug, config: { ...access().config, ...config }, roles: [] }, never);
    expect(await check({})).toEqual([]);
    const no = { pointer: '/login', message: 'is no login that this organisation may use' };
    expect(await check({}, 'globex')).toEqual([no]);
    expect(await check({ login: 'other' })).toEqual([no]);
    const wrong = [{ pointer: '/module', message: 'The module has failed at main.tf:5: Unsupported argument' }];
    expect(await check({ module: 'wrong' })).toEqual(wrong);
    expect(await check({ module: 'nothing' })).toEqual([{ pointer: '/module', message: 'is no module of this login' }]);
    expect(await check({ login: 'no-program' })).toMatchObject([{ message: expect.stringMatching(/not installed/) }]);
    proxy.set({ kind: 'down' });
    expect(await check({ login: 'proxy' })).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/cannot be reached/) }]);
  });

  test('when a request is approved, then what its plan said is what is made, and no secret lies about meanwhile', async () => {
    const suite = await startSuite({ environment: variablesOf('OPENTOFU', 'main', place.settings()) });
    try {
      await suite.tellSlug();
      const filed = await suite.submit({
        connector: 'opentofu',
        config: { login: 'main', module: 'account' },
        parameters: { note: 'first' },
      });
      const approver = await suite.as(suite.admin);
      const plan = await until(
        async () => {
          const got = await approver.getPlan({ requestId: filed.requestId });
          return got.status === 'READY' && got;
        },
        { timeoutMs: 120_000, what: 'the plan' },
      );
      expect(plan.steps).toContain('Create terraform_data.account');
      const { rows: kept } = await suite.sql.query('select ciphertext from saved_plan');
      expect(kept).toHaveLength(1);
      expect(JSON.stringify((await suite.sql.query('select * from plan')).rows)).not.toContain(token);
      await suite.approve(filed);
      const grant = await suite.grantIs(filed.requestId, ['ACTIVE'], 120_000);
      const { id } = await suite.jobIs(filed.requestId, 'SUCCEEDED');
      expect(plan.steps[0]).toContain(id);
      const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: grant.id });
      expect(place.account(id)).toBe(`${(JSON.parse(credentialJson) as { password: string }).password}\nfirst`);
      await until(async () => (await suite.sql.query('select 1 from saved_plan')).rowCount === 0, { what: 'no plan is kept any more' });
      await suite.withdraw(filed.requestId);
      await suite.grantIs(filed.requestId, ['REVOKED'], 120_000);
      expect(place.things(id)).toEqual([]);
      expect(await place.states()).not.toContain(id);
    } finally {
      await suite.close();
    }
  });
});
