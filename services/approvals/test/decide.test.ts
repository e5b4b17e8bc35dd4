import { newId } from '@accessops/db';
import { DecisionRecordedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, Suite } from './suite.ts';

describe('Decide', () => {
  let suite: Suite;
  let alice: Person;
  let bob: Person;
  let admin: Person;

  beforeAll(async () => {
    suite = await Suite.start();
    [alice, bob] = (await suite.people(2, ['approver'])) as [Person, Person];
    [admin] = (await suite.people(1, ['admin'])) as [Person];
  });
  afterAll(() => suite.close());

  test('when an approver approves right after the create, then the vote counts though no event has come', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const { id } = await suite.file();
      expect(await suite.decide(alice, id)).toMatchObject({
        requestId: id,
        stage: 'approval',
        status: 'APPROVED',
        approvals: 1,
        requiredApprovals: 1,
      });
      expect(await suite.stateOf(id)).toBe('APPROVED');
    }
  });

  test('when somebody whom no event has told of votes, then the principal vouches for them', async () => {
    const { id } = await suite.file();
    expect((await suite.decide(suite.person(['approver']), id)).status).toBe('APPROVED');
  });

  test('when two are needed, then the second approval settles it', async () => {
    const { id } = await suite.file({ sensitivity: 'high' });
    expect(await suite.decide(alice, id)).toMatchObject({ status: 'PENDING', approvals: 1, requiredApprovals: 2 });
    expect(await suite.stateOf(id)).toBe('PENDING');
    expect(await suite.decide(bob, id)).toMatchObject({ status: 'APPROVED', approvals: 2, requiredApprovals: 2 });
    expect(await suite.stateOf(id)).toBe('APPROVED');
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'DecisionRecorded', 'ApprovalDecided']);
  });

  test('when one of two rejects, then the request is over and the other is too late', async () => {
    const { id } = await suite.file({ sensitivity: 'high' });
    expect(await suite.decide(alice, id, { verdict: 'REJECT', comment: 'not now' })).toMatchObject({
      status: 'REJECTED',
      stage: 'approval',
    });
    expect(await suite.stateOf(id)).toBe('REJECTED');
    await expect(suite.decide(bob, id)).rejects.toMatchObject({ code: 'REQUEST_NOT_PENDING', members: { requestStatus: 'REJECTED' } });
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
  });

  test('when somebody votes twice, then the second vote is refused, whatever it says', async () => {
    const { id } = await suite.file({ sensitivity: 'high' });
    await suite.decide(alice, id);
    expect(await codeOf(suite.decide(alice, id))).toBe('ALREADY_DECIDED');
    expect(await codeOf(suite.decide(alice, id, { verdict: 'REJECT' }))).toBe('ALREADY_DECIDED');
    expect(await suite.told(id)).toEqual(['DecisionRecorded']);
  });

  test('when the requester decides, then it is refused whatever else they are, and also when it is over', async () => {
    const everything = suite.person(['admin', 'approver', 'manager', 'requester']);
    await suite.know(everything, 1);
    const { id } = await suite.file({}, everything);
    for (const verdict of ['APPROVE', 'REJECT'] as const) {
      expect(await codeOf(suite.decide(everything, id, { verdict }))).toBe('SELF_APPROVAL_FORBIDDEN');
    }
    await suite.decide(alice, id);
    expect(await codeOf(suite.decide(everything, id))).toBe('SELF_APPROVAL_FORBIDDEN');
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
  });

  test.each([
    ['team first', 0],
    ['admin first', 1],
  ])('when personal data is asked for, then its team and an admin approve in any order (%s)', async (_, first) => {
    const owningTeamId = await suite.team();
    const [owner] = (await suite.people(1, ['requester'], [owningTeamId])) as [Person];
    const { id } = await suite.file({ sensitivity: 'low', pii: true, owningTeamId });
    const order = first === 0 ? [owner, admin] : [admin, owner];
    expect(await suite.decide(order[0] as Person, id)).toMatchObject({ status: 'PENDING', approvals: 1, requiredApprovals: 2 });
    expect(await codeOf(suite.decide(alice, id))).toBe('NOT_ELIGIBLE');
    expect(await suite.decide(order[1] as Person, id)).toMatchObject({ status: 'APPROVED', approvals: 2 });
  });

  test('when an admin of the owning team has voted, then they stand for one stage and move over for somebody who fits one only', async () => {
    const owningTeamId = await suite.team();
    const [both] = (await suite.people(1, ['admin'], [owningTeamId])) as [Person];
    const [owner] = (await suite.people(1, ['requester'], [owningTeamId])) as [Person];
    const { id } = await suite.file({ sensitivity: 'low', pii: true, owningTeamId });
    expect(await suite.decide(both, id)).toMatchObject({ stage: 'owning-team', status: 'PENDING', approvals: 1 });
    expect(await suite.decide(owner, id)).toMatchObject({ stage: 'owning-team', status: 'APPROVED', approvals: 2 });
    const votes = await suite.rows('select decider_id, stage from vote where request_id = $1 order by stage', [id]);
    expect(votes).toEqual([
      { decider_id: both.id, stage: 'admin' },
      { decider_id: owner.id, stage: 'owning-team' },
    ]);
  });

  test('when the place somebody fits is taken, then their approval is refused, their rejection is not', async () => {
    const { id } = await suite.file({ sensitivity: 'medium', pii: true });
    // Stages: any approver or admin, any approver, an admin.
    await suite.decide(alice, id);
    await suite.decide(bob, id);
    const carol = suite.person(['approver']);
    expect(await codeOf(suite.decide(carol, id))).toBe('NOT_ELIGIBLE');
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'DecisionRecorded']);
    expect((await suite.decide(carol, id, { verdict: 'REJECT' })).status).toBe('REJECTED');
  });

  test('when somebody whom the plan does not name votes, then it is refused', async () => {
    const { id } = await suite.file();
    for (const roles of [['requester'], ['manager'], ['auditor'], []]) {
      expect(await codeOf(suite.decide(suite.person(roles), id))).toBe('NOT_ELIGIBLE');
      expect(await codeOf(suite.decide(suite.person(roles), id, { verdict: 'REJECT' }))).toBe('NOT_ELIGIBLE');
    }
    expect(await suite.told(id)).toEqual([]);
  });

  test('when a process or nobody votes, then it is refused', async () => {
    const { id } = await suite.file();
    const roles = ['approver', 'admin'];
    const service = { type: 'service' as const, id: 'approvals', email: '', tenantId: suite.tenantId, orgRoles: roles };
    expect(await codeOf(suite.decide(service, id))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.decide({ ...alice, type: 'anonymous' }, id))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.decide({ ...alice, tenantId: null, realmRoles: ['platform-admin'] }, id))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.approvals.decide({ requestId: id, verdict: 'APPROVE' }))).toBe('INVALID_TOKEN');
  });

  test('when the request is of another tenant or unknown, then there is none', async () => {
    const { id } = await suite.file();
    const stranger = suite.person(['admin', 'approver'], [], newId());
    for (const requestId of [id, newId(), 'no-uuid', '']) {
      expect(await codeOf(suite.decide(stranger, requestId))).toBe('REQUEST_NOT_FOUND');
    }
  });

  test('when the request was cancelled, then nobody decides', async () => {
    const { id, requester } = await suite.file();
    await suite.requests.cancelRequest({ id }, await as(requester));
    await expect(suite.decide(alice, id)).rejects.toMatchObject({ code: 'REQUEST_NOT_PENDING', members: { requestStatus: 'CANCELLED' } });
    expect(await suite.told(id)).toEqual([]);
  });

  test('when the request needed no approval, then nobody decides', async () => {
    const { resourceId } = await suite.file({ sensitivity: 'low' });
    const wish = { resourceId, role: 'writer', justification: 'a test', duration: 'PT30M' };
    const { id } = await suite.requests.submitRequest(wish, await as(suite.person(['requester'])));
    expect(['NOT_ELIGIBLE', 'REQUEST_NOT_PENDING']).toContain(await codeOf(suite.decide(alice, id)));
  });

  test('when verdict or comment are wrong, then the field is named', async () => {
    const { id } = await suite.file();
    const long = suite.decide(alice, id, { comment: 'x'.repeat(2001) });
    await expect(long).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: '/comment' }] });
    const neither = suite.approvals.decide({ requestId: id, verdict: 'MAYBE' }, await as(alice));
    await expect(neither).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: '/verdict' }] });
  });

  test('when a vote is recorded, then its event says who, what and on which call', async () => {
    const { id } = await suite.file();
    await suite.decide(alice, id, { comment: 'fine by me' });
    const [row] = await suite.rows<{ payload: Buffer }>(
      `select payload from outbox_event where aggregate_id = $1 and type = 'DecisionRecorded'`,
      [id],
    );
    const { change, deciderId, verdict } = fromBinary(DecisionRecordedSchema, row?.payload ?? Buffer.alloc(0));
    expect([deciderId, verdict]).toEqual([alice.id, 'APPROVE']);
    expect(change).toMatchObject({ action: 'DECISION_RECORDED', entityType: 'REQUEST', entityId: id });
    expect(change?.actor).toMatchObject({ id: alice.id, type: 'user', email: alice.email });
    expect(change?.origin?.requestId).toMatch(/./);
    expect(JSON.parse(change?.changesJson ?? '')).toEqual({
      verdict: { after: 'APPROVE' },
      stage: { after: 'approval' },
      comment: { after: 'fine by me' },
    });
  });

  test('when a call is repeated under its key, then the vote is answered again and counted once', async () => {
    const { id } = await suite.file();
    const comment = `isn't "this" fine? \\ $1 ?? ✓`;
    const first = await suite.decide(alice, id, { key: 'once', comment });
    const again = await suite.decide(alice, id, { key: 'once', comment });
    expect(again).toEqual(first);
    expect(again.status).toBe('APPROVED');
    expect(await suite.rows('select comment from vote where request_id = $1', [id])).toEqual([{ comment }]);
    expect(await codeOf(suite.decide(alice, id, { key: 'other' }))).toMatch(/ALREADY_DECIDED|REQUEST_NOT_PENDING/);
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
  });
});
