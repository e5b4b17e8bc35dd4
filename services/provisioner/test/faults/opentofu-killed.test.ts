import { type ChildProcess } from 'node:child_process';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { createModulePlace } from '../module-place.ts';
import { type Suite, startSuite } from '../suite.ts';

// The lease of a dead worker lasts 10 s, and a process that starts takes a while on a busy machine.
const patience = 90_000;
const gates = ['account-before', 'account-after', 'badge-before', 'badge-after'];

const place = await createModulePlace();

describe.runIf(place)('modules whose runs are killed', { timeout: 3 * patience }, () => {
  if (!place) return;
  let suite: Suite;
  let child: ChildProcess | undefined;

  beforeAll(async () => {
    const settings = Object.entries({ ...place.settings(), TENANTS: 'acme' });
    const environment = Object.fromEntries(settings.map(([name, value]) => [`CONNECTOR_OPENTOFU_MAIN_${name}`, value]));
    suite = await startSuite({ instances: 0, environment });
    const { tenantId } = suite;
    await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'acme', name: 'Acme' }, { aggregateId: tenantId });
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

  // Three at a time fit at one target.
  test.each([[gates.slice(0, 2)], [gates.slice(2)]])(
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

  test('when a run that takes access away is killed, then another takes the rest away', async () => {
    await suite.start();
    place.openGate();
    const { requestId, key } = await approve('');
    await suite.grantIs(requestId, ['ACTIVE'], patience);
    await suite.stopAll();
    child = spawnProvisioner(suite);
    await suite.withdraw(requestId);
    await until(async () => (await suite.job(requestId, 'REVOKE'))?.status === 'RUNNING', { timeoutMs: patience, what: 'the revocation' });
    await end(child, 'SIGKILL');
    await suite.start();
    await suite.grantIs(requestId, ['REVOKED'], patience);
    expect(await leftOf(key)).toEqual([]);
  });
});
