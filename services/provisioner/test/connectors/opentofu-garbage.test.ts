import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { until } from '@accessops/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { createModulePlace, handsOf, roomAccess, token } from '../module-place.ts';
import { patient } from '../patient.ts';
import { startSuite } from '../suite.ts';
import { variablesOf } from '../targets/real-target.ts';

const never = new AbortController().signal;
const patience = 180_000;
const place = await createModulePlace();

describe.runIf(place)('modules whose programs and states say what makes no sense', { timeout: 2 * patience }, () => {
  if (!place) return;
  const { PROGRAM } = place.settings();
  /** The real program, but for one of its commands, instead of which a script runs. */
  const programWith = (name: string, command: string, script: string): string => {
    const path = join(place.room, name);
    writeFileSync(path, `#!/bin/sh\nif [ "$1" = ${command} ]; then\n${script}\nfi\nexec ${PROGRAM} "$@"\n`, { mode: 0o755 });
    return path;
  };
  const connectors: Connector[] = [];
  const handsWith = (program = PROGRAM) => {
    const connector = patient(handsOf(place, { main: { PROGRAM: program } }));
    connectors.push(connector);
    return connector;
  };
  const sound = handsWith();
  afterAll(async () => {
    for (const connector of connectors) await connector.close?.();
    await place.close();
  });

  const end = (access: Access, connector = sound) => connector.revoke({ ...access, fence: finalFence }, never);
  const expectGone = async (access: Access) => {
    expect(await sound.verify(access, never)).toBe(false);
    expect(place.things(access.key)).toEqual([]);
    expect(await place.states()).not.toContain(access.key);
  };
  const failureOf = async (call: Promise<unknown>): Promise<Error> => {
    const failure = await call.then(
      () => new Error('it has worked'),
      (error: Error) => error,
    );
    expect(inspect(failure, { depth: 9 })).not.toContain(token);
    return failure;
  };
  const notUnderstood = expect.stringMatching(/gives no answer that is understood/);
  const secretly = `echo '{"output": "${token}'`;

  test('when the program talks nonsense before anything is made, then nothing is, and another attempt can', async () => {
    const access = roomAccess();
    let fence = 1;
    for (const [command, script] of [
      ['init', 'echo garbage; exit 1'],
      ['plan', 'echo garbage; exit 0'],
      ['plan', 'exit 0'],
      ['plan', `${secretly}; exit 1`],
      ['show', `${secretly}; exit 0`],
      ['show', `echo '{}'; exit 0`],
      ['show', `head -c 40000000 /dev/zero; exit 0`],
    ] as const) {
      const connector = handsWith(programWith('mad', command, script));
      for (const call of [() => connector.plan(roomAccess(), never), () => connector.apply({ ...access, fence: fence++ }, never)])
        expect({ script, failure: await failureOf(call()) }).toMatchObject({ script, failure: { kind: 'failed', message: notUnderstood } });
      expect(place.things(access.key)).toEqual([]);
    }
    await sound.apply({ ...access, fence }, never);
    await end(access);
    await expectGone(access);
  });

  test.each([
    ['apply', 'echo garbage; exit 0', 0],
    ['apply', 'exit 0', 0],
    ['apply', `${PROGRAM} "$@" > /dev/null; echo garbage; exit 0`, 2],
    ['apply', `${PROGRAM} "$@" > /dev/null; echo garbage; exit 2`, 2],
    ['output', `${secretly}; exit 0`, 2],
    ['output', 'echo garbage; exit 1', 2],
  ])(
    'when instead of %s the program does this: %s, then the access counts as there until it was taken away',
    async (command, script, made) => {
      const connector = handsWith(programWith('mad', command, script));
      const access = roomAccess();
      expect(await failureOf(connector.apply(access, never))).toMatchObject({ kind: 'unknown', message: notUnderstood });
      expect(place.things(access.key)).toHaveLength(made);
      expect(await sound.verify(access, never)).toBe(true);
      await end(access);
      await expectGone(access);
    },
  );

  test.each(['echo garbage; exit 0', `${PROGRAM} "$@" > /dev/null; echo garbage; exit 1`])(
    'when the program does this instead of destroying: %s, then the access has not ended until another has ended it',
    async (script) => {
      const access = roomAccess();
      await sound.apply(access, never);
      const connector = handsWith(programWith('mad', 'apply', script));
      expect(await failureOf(end(access, connector))).toMatchObject({ kind: 'unknown', message: notUnderstood });
      expect(await connector.verify(access, never)).toBe(true);
      await end(access);
      await expectGone(access);
    },
  );

  test('when the program is none, then that is said', async () => {
    const path = join(place.room, 'no-program');
    writeFileSync(path, '');
    expect(await failureOf(handsWith(path).apply(roomAccess(), never))).toMatchObject({
      kind: 'failed',
      message: 'The program that runs modules cannot be started',
    });
  });

  const contentOf = async ({ key }: Access) =>
    (await place.sql.query<{ data: string }>('select data from accessops_state.states where name = $1', [key])).rows[0]?.data;
  const putContent = ({ key }: Access, data: string | null | undefined) =>
    place.sql.query('update accessops_state.states set data = $2 where name = $1', [key, data]);
  const listed = async (access: Access) =>
    (await sound.list?.({ ...access, tenantSlug: 'acme', expected: [access.key] }, never))?.find(({ key }) => key === access.key);

  test('when a state is none, then that is said, nothing is thrown away, and the access can end when the state is back', async () => {
    const access = roomAccess();
    await sound.apply(access, never);
    const before = await contentOf(access);
    const failure = { kind: 'failed', message: expect.stringMatching(/no state, or a newer one: .* put back, or the row removed/) };
    const garbage = [
      null,
      '',
      'garbage',
      'null',
      '[]',
      '{}',
      '{"version": 4, "serial": 0, "resources": {}}',
      '{"version": 4, "serial": 0, "resources": [], "x": "\\u0000"}',
      '{"version": 5, "serial": 0, "lineage": "x", "resources": []}',
    ];
    for (const data of garbage) {
      await putContent(access, data);
      expect({ data, failure: await failureOf(sound.apply({ ...access, fence: 2 }, never)) }).toMatchObject({ data, failure });
      expect(await listed(access)).toMatchObject({ inForce: false });
    }
    for (const data of garbage) {
      await putContent(access, data);
      expect({ data, failure: await failureOf(end(access)) }).toMatchObject({ data, failure });
      expect(await sound.verify(access, never)).toBe(true);
      expect(await contentOf(access)).toBe(data);
    }
    await putContent(access, before);
    await end(access);
    await expectGone(access);
  });

  test.each([
    ['nothing that there is', [{ foo: 1 }]],
    [
      'something newer',
      [{ mode: 'managed', type: 'terraform_data', name: 'account', instances: [{ schema_version: 99, attributes: {} }] }],
    ],
  ])('when the state speaks of %s, then the access has not ended until the state is back', async (_, resources) => {
    const access = roomAccess();
    await sound.apply(access, never);
    const before = await contentOf(access);
    const provider = 'provider["terraform.io/builtin/terraform"]';
    const garbage = resources.map((resource) => ({ provider, ...resource }));
    await putContent(access, JSON.stringify({ ...JSON.parse(before ?? ''), resources: garbage }));
    expect(await failureOf(sound.apply({ ...access, fence: 2 }, never))).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^The module has failed.*: ./),
    });
    expect(await failureOf(end(access))).toMatchObject({ name: 'ConnectorError' });
    expect(await sound.verify(access, never)).toBe(true);
    await putContent(access, before);
    await end(access);
    await expectGone(access);
  });

  test('when the state is gone, then what was made is found again, and made good or taken away', async () => {
    const lose = ({ key }: Access) => place.sql.query('delete from accessops_state.states where name = $1', [key]);
    const access = roomAccess();
    await sound.apply(access, never);
    await lose(access);
    expect(await sound.verify(access, never)).toBe(true);
    const { credential } = await sound.apply({ ...access, fence: 2 }, never);
    expect(place.account(access.key)).toBe(`${credential.password}\n`);
    expect(await listed(access)).toMatchObject({ inForce: true });
    await lose(access);
    await end(access);
    await expectGone(access);
  });

  test('when the program and the states of a platform talk nonsense, then no grant is ACTIVE or REVOKED by it', async () => {
    const program = programWith('at-work', 'apply', 'echo garbage; exit 0');
    const suite = await startSuite({
      environment: {
        ...variablesOf('OPENTOFU', 'mad', { ...place.settings(), PROGRAM: program }),
        ...variablesOf('OPENTOFU', 'main', place.settings()),
      },
    });
    try {
      await suite.tellSlug();
      const approve = (name: string) => suite.approve({ connector: 'opentofu', config: { login: name, module: 'account' } });
      const [mad, lost] = await Promise.all([approve('mad'), approve('main')]);
      await suite.grantIs(lost, ['ACTIVE'], patience);
      const { id } = await suite.jobIs(lost, 'SUCCEEDED', patience);
      const access = roomAccess({ key: id });
      const before = await contentOf(access);
      await putContent(access, 'garbage');
      await suite.withdraw(lost);
      await suite.grantIs(lost, ['REVOKE_FAILED'], patience);
      expect((await suite.job(lost, 'REVOKE'))?.last_error).toMatch(/no state, or a newer one/);
      expect(place.things(id)).toHaveLength(2);
      await putContent(access, before);
      await suite.grantIs(lost, ['REVOKED'], patience);
      expect(place.things(id)).toEqual([]);

      const tried = await until(
        async () => {
          const job = await suite.job(mad);
          return (job?.attempts ?? 0) > 5 && job;
        },
        { timeoutMs: patience, what: 'the last attempt' },
      );
      expect(tried.last_error).toMatch(/gives no answer that is understood/);
      writeFileSync(program, `#!/bin/sh\nexec ${PROGRAM} "$@"\n`);
      await suite.jobIs(mad, 'FAILED', patience);
      expect(await suite.grant(mad)).toBeUndefined();
      expect((await suite.actions(mad)).filter((action) => action.startsWith('GRANT_'))).toEqual([]);
      expect(place.things(tried.id)).toEqual([]);
      expect(await place.states()).not.toContain(tried.id);
    } finally {
      await suite.close();
    }
  });
});
