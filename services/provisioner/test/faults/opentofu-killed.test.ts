import type { ChildProcess } from 'node:child_process';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { createModulePlace, type ModulePlace } from '../module-place.ts';
import { type Suite, startSuite } from '../suite.ts';

// The lease of a dead worker lasts 10 s, and a process that starts takes a while on a busy machine.
const patience = 90_000;
const gates = ['account-before', 'account-after', 'badge-before', 'badge-after'];

const first = await createModulePlace();

/** A provisioner in a process of its own, with a room of its own. */
const startPlaced = async (place: ModulePlace): Promise<{ suite: Suite; child: ChildProcess }> => {
  const environment = Object.fromEntries(
    Object.entries({ ...place.settings(), TENANTS: 'acme' }).map(([name, value]) => [`CONNECTOR_OPENTOFU_MAIN_${name}`, value]),
  );
  const suite = await startSuite({ instances: 0, environment });
  const { tenantId } = suite;
  await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'acme', name: 'Acme' }, { aggregateId: tenantId });
  return { suite, child: spawnProvisioner(suite) };
};

const kill = (group: number) => {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {}
};

describe.runIf(first)('modules whose runs are killed', () => {
  if (!first) return;
  let place: ModulePlace;
  let suite: Suite;
  let child: ChildProcess;

  const approve = (gate: string) =>
    suite.approve({ connector: 'opentofu', config: { login: 'main', module: 'account', variables: { gate } } });
  const keyOf = async (requestId: string) => (await until(() => suite.job(requestId), { timeoutMs: patience, what: 'the job' })).id;

  /** What is at the target is one whole access, whose credential works; at the end it is gone. */
  const isWhole = async (requestId: string, key: string) => {
    const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
    const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
    const { password } = JSON.parse(credentialJson) as { password: string };
    expect(place.account(key)).toBe(`${password}\n`);
    expect(place.things(key)).toEqual([`${key}.account`, `${key}.badge`]);
    await suite.withdraw(requestId);
    await suite.grantIs(requestId, ['REVOKED'], patience);
    await isGone(key);
  };
  const isGone = async (key: string) => {
    expect(place.things(key)).toEqual([]);
    expect(await place.states()).not.toContain(key);
  };

  beforeAll(async () => {
    place = first;
    ({ suite, child } = await startPlaced(place));
  });
  afterAll(async () => {
    await end(child, 'SIGKILL');
    await suite.close();
    await first.close();
  });

  test('when the module and the provisioner are killed at any point, then another finishes it, once, and takes it away whole', {
    timeout: 3 * patience,
  }, async () => {
    // Three at a time fit at one target.
    for (const some of [gates.slice(0, 2), gates.slice(2)]) {
      const requests = await Promise.all(some.map(approve));
      const keys = await Promise.all(requests.map(keyOf));
      const groups = await Promise.all(keys.map((key) => place.atGate(key)));
      await end(child, 'SIGKILL');
      for (const group of groups) kill(group);
      child = spawnProvisioner(suite);
      // Once more at its gate, in another run: only this time nobody kills it.
      await Promise.all(keys.map((key) => place.atGate(key)));
      place.openGate();
      for (const [index, requestId] of requests.entries()) await isWhole(requestId, keys[index] ?? '');
      place.closeGate();
    }
  });

  test('when only the provisioner is killed, then the run finishes by itself, and another provisioner takes over what it has made', {
    timeout: 2 * patience,
  }, async () => {
    const requestId = await approve('badge-before');
    const key = await keyOf(requestId);
    await place.atGate(key);
    await end(child, 'SIGKILL');
    place.openGate();
    await until(async () => place.things(key).length === 2, { timeoutMs: patience, what: 'the run to finish' });
    child = spawnProvisioner(suite);
    await isWhole(requestId, key);
    place.closeGate();
  });

  test.each(gates)(
    'when a run is killed at %s and its job cancelled, then all that it had made is taken away',
    { timeout: 2 * patience },
    async (gate) => {
      const requestId = await approve(gate);
      const key = await keyOf(requestId);
      const group = await place.atGate(key);
      await suite.sql.query('update job set cancelled = true where id = $1', [key]);
      kill(group);
      place.openGate();
      await suite.jobIs(requestId, 'FAILED', patience);
      await isGone(key);
      place.closeGate();
    },
  );
});
