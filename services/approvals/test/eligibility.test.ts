import { TeamMembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, Suite } from './suite.ts';

describe('whose vote counts', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await Suite.start();
  });
  afterAll(() => suite.close());

  const three = async () => (await suite.people(3, ['approver'])) as [Person, Person, Person];

  test('when somebody was deactivated before the final vote, then their approval does not count', async () => {
    const [alice, bob, carol] = await three();
    const { id } = await suite.file({ sensitivity: 'high' });
    await suite.decide(alice, id);
    await suite.know(alice, 2, { active: false });
    expect(await suite.decide(bob, id)).toMatchObject({ status: 'PENDING', approvals: 1, requiredApprovals: 2 });
    expect(await suite.stateOf(id)).toBe('PENDING');
    expect(await suite.decide(carol, id)).toMatchObject({ status: 'APPROVED', approvals: 2 });
    const votes = await suite.rows('select decider_id, stage from vote where request_id = $1 order by decided_at', [id]);
    expect(votes).toEqual([
      { decider_id: alice.id, stage: null },
      { decider_id: bob.id, stage: 'approval' },
      { decider_id: carol.id, stage: 'approval' },
    ]);
  });

  test('when somebody lost the role before the final vote, then their approval does not count until they have it again', async () => {
    const [alice, bob, carol] = await three();
    const { id } = await suite.file({ sensitivity: 'high' });
    await suite.decide(alice, id);
    await suite.know(alice, 2, { orgRoles: ['requester'] });
    expect((await suite.decide(bob, id)).status).toBe('PENDING');
    await suite.know(alice, 3);
    // Enough votes count now, but a change of roles gives no access by itself.
    expect(await suite.stateOf(id)).toBe('PENDING');
    expect(await codeOf(suite.decide(carol, id))).toBe('NOT_ELIGIBLE');
  });

  test('when somebody was deactivated or lost the role, then they cannot vote though their token still says so', async () => {
    const [alice, bob] = await three();
    await suite.know(alice, 2, { active: false });
    await suite.know(bob, 2, { orgRoles: ['requester'] });
    const { id } = await suite.file();
    // Together: an event that bears out the token is waited for.
    const votes = [alice, bob].flatMap((person) =>
      (['APPROVE', 'REJECT'] as const).map((verdict) => suite.decide(person, id, { verdict })),
    );
    expect(await Promise.all(votes.map(codeOf))).toEqual(votes.map(() => 'NOT_ELIGIBLE'));
    expect(await suite.told(id)).toEqual([]);
  });

  test('when somebody was given the role a moment ago, then their vote waits for the event', async () => {
    const [alice] = (await suite.people(1, ['requester'])) as [Person];
    const { id } = await suite.file();
    const vote = suite.decide({ ...alice, orgRoles: ['approver'] }, id);
    await suite.know(alice, 2, { orgRoles: ['approver'] });
    expect((await vote).status).toBe('APPROVED');
  });

  test('when somebody is no longer in the owning team, then their vote does not count', async () => {
    const owningTeamId = await suite.team();
    const [owner] = (await suite.people(1, ['requester'], [owningTeamId])) as [Person];
    const [admin] = (await suite.people(1, ['admin'])) as [Person];
    const { id } = await suite.file({ sensitivity: 'low', pii: true, owningTeamId });
    await suite.decide(owner, id);
    const { id: userId, email, orgRoles } = owner;
    const user = { id: userId, email, active: true, orgRoles, teamIds: [], version: 2 };
    await suite.tell('identity', TeamMembershipChangedSchema, { teamId: owningTeamId, user }, userId);
    await until(async () => (await suite.rows('select 1 from person where id = $1 and version = 2', [userId])).length > 0);
    expect(await suite.decide(admin, id)).toMatchObject({ status: 'PENDING', approvals: 1 });
  });

  test('when somebody who has voted is deactivated, then the case asks others for a vote again', async () => {
    const owningTeamId = await suite.team();
    const [owner, other] = (await suite.people(2, ['requester'], [owningTeamId])) as [Person, Person];
    const { id } = await suite.file({ sensitivity: 'low', pii: true, owningTeamId });
    await suite.decide(owner, id);
    const waits = async () => {
      const { items } = await suite.approvals.listPendingApprovals({}, await as(other));
      return items.some(({ requestId }) => requestId === id);
    };
    expect(await waits()).toBe(false);
    await suite.know(owner, 2, { active: false });
    expect(await waits()).toBe(true);
    const approval = await suite.approvals.getApproval({ requestId: id }, await as(other));
    expect(approval).toMatchObject({ approvals: 0, requiredApprovals: 2, votes: [{ deciderId: owner.id, stage: '' }] });
  });

  test('when an older snapshot comes late, or the same again, then the newest stays', async () => {
    const [alice] = await three();
    const again = await suite.know(alice, 2);
    await suite.know(alice, 5, { active: false });
    await again();
    await suite.know(suite.person(['approver']), 1);
    expect(await suite.rows('select active, version from person where id = $1', [alice.id])).toEqual([{ active: false, version: 5 }]);
  });

  test('when the first event about somebody comes after their vote, then it is believed', async () => {
    const alice = suite.person(['approver']);
    const { id } = await suite.file({ sensitivity: 'high' });
    expect(await suite.decide(alice, id)).toMatchObject({ approvals: 1 });
    await suite.know(alice, 1, { orgRoles: ['requester'] });
    const approval = await suite.approvals.getApproval({ requestId: id }, await as(suite.person(['admin'])));
    expect(approval.approvals).toBe(0);
  });
});
