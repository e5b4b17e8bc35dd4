import { type ChildProcess } from 'node:child_process';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { createModulePlace } from '../module-place.ts';
import { type Suite, startSuite } from '../suite.ts';
import { variablesOf } from '../targets/real-target.ts';

// The lease of a dead worker lasts 10 s, and a process that starts takes a while on a busy machine.
const patience = 90_000;
const gates = ['account-before', 'account-after', 'badge-before', 'badge-after'];
const endGates = ['badge-end-before', 'badge-end-after', 'account-end-before', 'account-end-after'];
// Three at a time fit at one target.
const halves = (all: string[]) => [[all.slice(0, 2)], [all.slice(2)]];

const place = await createModulePlace();

describe.runIf(place)('modules whose runs are killed', { timeout: 3 * patience }, () => {
  if (!place) return;
  let suite: Suite;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    suite = await startSuite({ environment: variablesOf('OPENTOFU', 'main', place.settings()) });
    await suite.tellSlug();
    await suite.stopAll();
  });
  afterEach(async () => {
    if (child) await end(child, 'SIGKILL');
    await suite.stopAll();
    place.closeGate();
  });
  afterAll(async () => {
    await suite.close();
    await place.close();
  });

  const killGroup = (group: number) => {
    process.kill(-group, 'SIGKILL');
  };

  const approve = async (gate: string) => {
    const requestId = await suite.approve({ connector: 'opentofu', config: { login: 'main', module: 'account', variables: { gate } } });
    const { id: key } = await until(() => suite.job(requestId), { timeoutMs: patience, what: 'the job' });
    return { requestId, key };
  };

  /** Whatever there is of an access. */
  const leftOf = async (key: string) => [...place.things(key), ...(await place.states()).filter((name) => name === key)];

  /** What is there is one whole access, whose credential works; then it ends. */
  const expectWhole = async ({ requestId, key }: { requestId: string; key: string }) => {
    const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
    const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
    const { password } = JSON.parse(credentialJson) as { password: string };
    expect(place.account(key)).toBe(`${password}\n`);
    expect(place.things(key)).toEqual([`${key}.account`, `${key}.badge`]);
    await suite.withdraw(requestId);
    await suite.grantIs(requestId, ['REVOKED'], patience);
  };

  test.each(halves(gates))(
    'when the run and the provisioner are killed at %j, then another finishes it, once, and takes it away whole',
    async (some) => {
      child = spawnProvisioner(suite);
      const requests = await Promise.all(some.map(approve));
      const groups = await Promise.all(requests.map(({ key }) => place.atGate(key)));
      await end(child, 'SIGKILL');
      groups.forEach(killGroup);
      await suite.start();
      // In a run of another provisioner: this time nobody kills it.
      await Promise.all(requests.map(({ key }) => place.atGate(key)));
      place.openGate();
      await Promise.all(requests.map(expectWhole));
      for (const { key } of requests) expect(await leftOf(key)).toEqual([]);
    },
  );

  test('when only the provisioner is killed, then the run finishes by itself, and another provisioner takes over what it has made', async () => {
    child = spawnProvisioner(suite);
    const request = await approve('badge-before');
    await place.atGate(request.key);
    await end(child, 'SIGKILL');
    place.openGate();
    await until(async () => place.things(request.key).length === 2, { timeoutMs: patience, what: 'the run to finish' });
    await suite.start();
    await expectWhole(request);
    expect(await leftOf(request.key)).toEqual([]);
  });

  test.each(gates)('when a run is killed at %s and nobody wants it any more, then all that it had made is taken away', async (gate) => {
    await suite.start();
    const { requestId, key } = await approve(gate);
    const group = await place.atGate(key);
    // As an admin cancels a job, but while it is at work.
    await suite.sql.query('update job set cancelled = true where id = $1', [key]);
    killGroup(group);
    place.openGate();
    await suite.jobIs(requestId, 'FAILED', patience);
    expect(await leftOf(key)).toEqual([]);
  });

  /** Kills a provisioner that takes access away when its runs have come to these gates. */
  const killAtEnd = async (some: string[]) => {
    await suite.start();
    const requests = await Promise.all(some.map(approve));
    await Promise.all(requests.map(({ requestId }) => suite.grantIs(requestId, ['ACTIVE'], patience)));
    await suite.stopAll();
    child = spawnProvisioner(suite);
    for (const { requestId } of requests) await suite.withdraw(requestId);
    const groups = await Promise.all(requests.map(({ key }) => place.atGate(key)));
    await end(child, 'SIGKILL');
    return { requests, groups };
  };

  /** What is left of access that has ended, and what was told of its grant. */
  const endOf = async ({ requestId, key }: { requestId: string; key: string }) => {
    await suite.grantIs(requestId, ['REVOKED'], patience);
    const actions = (await suite.actions(requestId)).filter((action) => action.startsWith('GRANT_'));
    return { left: await leftOf(key), actions };
  };
  const cleanEnd = { left: [], actions: ['GRANT_ACTIVATED', 'GRANT_REVOCATION_STARTED', 'GRANT_REVOKED'] };

  test.each(halves(endGates))('when the run and the provisioner are killed at %j, then another takes the rest away', async (some) => {
    const { requests, groups } = await killAtEnd(some);
    groups.forEach(killGroup);
    await suite.start();
    // In a run of another provisioner: this time nobody kills it.
    await Promise.all(requests.map(({ key }) => place.atGate(key)));
    place.openGate();
    expect(await Promise.all(requests.map(endOf))).toEqual(requests.map(() => cleanEnd));
  });

  test('when only the provisioner is killed at the end, then the run finishes by itself, and another provisioner finds it gone', async () => {
    const { requests } = await killAtEnd(['badge-end-before']);
    place.openGate();
    for (const { key } of requests) {
      await until(async () => place.things(key).length === 0, { timeoutMs: patience, what: 'the run to finish' });
    }
    await suite.start();
    expect(await Promise.all(requests.map(endOf))).toEqual(requests.map(() => cleanEnd));
  });
});
