import { newId } from '@accessops/db';
import { ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, type Plan, Suite } from './suite.ts';

describe('who may act as the service account that asks', () => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await Suite.start();
  });
  afterAll(() => suite.close());

  const three = async () => (await suite.people(3, ['approver'])) as [Person, Person, Person];

  /** A request that a machine files. */
  const fileAs = async (machineId: string, custodians: Person[], plan: Plan = {}) => {
    const custodianIds = custodians.map(({ id }) => id);
    const permissions = ['access_request:create'];
    const machine = { ...suite.person([]), type: 'service-account' as const, id: machineId, permissions, custodianIds };
    const request = await suite.file(plan, machine);
    await suite.opened(request.id);
    return request;
  };

  const know = async (machineId: string, version: number, custodians: Person[]): Promise<void> => {
    const account = { id: machineId, custodianIds: custodians.map(({ id }) => id), version };
    await suite.tell('identity', ServiceAccountChangedSchema, { serviceAccountId: machineId, account }, machineId);
    await until(
      async () => (await suite.rows('select 1 from service_account where id = $1 and version >= $2', [machineId, version])).length > 0,
    );
  };

  const inbox = async (who: Person) =>
    (await suite.approvals.listPendingApprovals({ query: { limit: 200 } }, await as(who))).items.map(({ requestId }) => requestId);
  const candidates = async (who: Person, requestId: string) =>
    (await suite.approvals.getApproval({ requestId }, await as(who))).candidates.map(({ userId }) => userId);

  test('when it was filed, then who was one decides neither way, is not asked, and others decide', async () => {
    const [alice, bob] = await three();
    const { id } = await fileAs(newId(), [alice]);
    for (const verdict of ['APPROVE', 'REJECT'] as const)
      expect(await codeOf(suite.decide(alice, id, { verdict }))).toBe('SELF_APPROVAL_FORBIDDEN');
    expect([await inbox(alice), await inbox(bob)]).toEqual([expect.not.arrayContaining([id]), expect.arrayContaining([id])]);
    const asked = await candidates(bob, id);
    expect([asked.includes(alice.id), asked.includes(bob.id)]).toEqual([false, true]);
    expect(await suite.decide(bob, id)).toMatchObject({ status: 'APPROVED' });
  });

  test('when somebody has become one since, then they do not decide either', async () => {
    const [alice, bob] = await three();
    const machine = newId();
    const { id } = await fileAs(machine, [bob]);
    await know(machine, 1, [alice]);
    for (const person of [alice, bob]) expect(await codeOf(suite.decide(person, id))).toBe('SELF_APPROVAL_FORBIDDEN');
    expect(await inbox(alice)).not.toContain(id);
  });

  test('when somebody becomes one after the vote, then it does not count, and the place is asked for again', async () => {
    const [alice, bob, carol] = await three();
    const machine = newId();
    const { id } = await fileAs(machine, [], { sensitivity: 'high' });
    expect(await suite.decide(alice, id)).toMatchObject({ status: 'PENDING', approvals: 1 });
    await know(machine, 1, [alice]);
    expect(await suite.approvals.getApproval({ requestId: id }, await as(bob))).toMatchObject({ approvals: 0 });
    expect(await suite.decide(bob, id)).toMatchObject({ status: 'PENDING', approvals: 1 });
    expect(await suite.decide(carol, id)).toMatchObject({ status: 'APPROVED', approvals: 2 });
  });

  test('when an account is handed over, then who had it decides on what is asked from then on', async () => {
    const [alice, bob] = await three();
    const machine = newId();
    await know(machine, 2, [bob]);
    // Told late: older than what is known.
    await suite.tell('identity', ServiceAccountChangedSchema, { account: { id: machine, custodianIds: [alice.id], version: 1 } }, machine);
    const { id } = await fileAs(machine, [bob]);
    expect(await codeOf(suite.decide(bob, id))).toBe('SELF_APPROVAL_FORBIDDEN');
    expect(await suite.decide(alice, id)).toMatchObject({ status: 'APPROVED' });
  });

  test('when all who could decide are custodians, then the request waits', async () => {
    const [alice, bob, carol] = await three();
    const { id } = await fileAs(newId(), [alice, bob, carol]);
    const codes = await Promise.all([alice, bob, carol].map((person) => codeOf(suite.decide(person, id))));
    expect([new Set(codes), await suite.stateOf(id)]).toEqual([new Set(['SELF_APPROVAL_FORBIDDEN']), 'PENDING']);
  });
});
