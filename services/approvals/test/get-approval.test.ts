import { newId } from '@accessops/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, Suite } from './suite.ts';

describe('GetApproval', () => {
  let suite: Suite;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    suite = await Suite.start();
    [alice, bob] = (await suite.people(2, ['approver'])) as [Person, Person];
  });
  afterAll(() => suite.close());

  const get = async (who: Person, requestId: string) => suite.approvals.getApproval({ requestId }, await as(who));

  test('when votes are cast, then stages, votes and those who can still decide are told', async () => {
    const { id, requester } = await suite.file({ sensitivity: 'high' });
    await suite.decide(alice, id, { comment: 'fine by me' });
    const approval = await get(bob, id);
    expect(approval).toMatchObject({
      requestId: id,
      status: 'PENDING',
      requesterId: requester.id,
      justification: 'a test',
      approvals: 1,
      requiredApprovals: 2,
      stages: [{ name: 'approval', required: 2, approvals: 1, roles: ['approver', 'admin'], teamId: '' }],
      votes: [{ deciderId: alice.id, deciderEmail: alice.email, verdict: 'APPROVE', comment: 'fine by me', stage: 'approval' }],
    });
    expect(approval.candidates.map(({ userId }) => userId)).toContain(bob.id);
    expect(approval.candidates.map(({ userId }) => userId)).not.toContain(alice.id);
  });

  test('when the requester is an approver, then they are no candidate', async () => {
    const { id } = await suite.file({}, alice);
    expect((await get(bob, id)).candidates.map(({ userId }) => userId)).not.toContain(alice.id);
  });

  test('when somebody is inactive or fits no stage, then they are no candidate', async () => {
    const [gone] = (await suite.people(1, ['approver'])) as [Person];
    await suite.know(gone, 2, { active: false });
    const [plain] = (await suite.people(1, ['requester'])) as [Person];
    const { id } = await suite.file();
    const candidates = (await get(bob, id)).candidates.map(({ userId }) => userId);
    expect(candidates).not.toContain(gone.id);
    expect(candidates).not.toContain(plain.id);
  });

  test('when it is decided, then it shows the votes that decided it and nobody can decide any more', async () => {
    const { id } = await suite.file();
    const [voter] = (await suite.people(1, ['approver'])) as [Person];
    await suite.decide(voter, id);
    await suite.know(voter, 2, { active: false });
    expect(await get(bob, id)).toMatchObject({ status: 'APPROVED', approvals: 1, votes: [{ stage: 'approval' }], candidates: [] });
  });

  test('when somebody rejected, then the vote names the stage they spoke for', async () => {
    const { id } = await suite.file();
    await suite.decide(bob, id, { verdict: 'REJECT', comment: 'no' });
    const approval = await get(alice, id);
    expect(approval).toMatchObject({ status: 'REJECTED', approvals: 0, votes: [{ verdict: 'REJECT', comment: 'no', stage: 'approval' }] });
  });

  test('when it was just filed, then it is there though no event has come', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const { id } = await suite.file();
      const approval = await get(bob, id);
      expect(approval).toMatchObject({ requestId: id, status: 'PENDING', approvals: 0, requiredApprovals: 1 });
      expect(approval.candidates.length).toBeGreaterThan(0);
    }
  });

  test('when the request needed no approval, then it says so', async () => {
    const { resourceId } = await suite.file({ sensitivity: 'low' });
    const requester = suite.person(['requester']);
    const wish = { resourceId, role: 'writer', justification: 'a test', duration: 'PT30M' };
    const { id } = await suite.requests.submitRequest(wish, await as(requester));
    expect(await get(requester, id)).toMatchObject({ status: 'APPROVED', approvals: 0, requiredApprovals: 0, stages: [], votes: [] });
  });

  test('when requester, approvers, admin and auditor look, then they may; others may not', async () => {
    const { id, requester } = await suite.file();
    for (const who of [requester, alice, suite.person(['admin']), suite.person(['auditor'])]) expect(await codeOf(get(who, id))).toBe('ok');
    for (const who of [suite.person(['requester']), suite.person(['manager']), suite.person([])]) {
      expect(await codeOf(get(who, id))).toBe('PERMISSION_DENIED');
    }
  });

  test('when it is of another tenant or unknown, then there is none', async () => {
    const { id } = await suite.file();
    await suite.opened(id);
    const stranger = suite.person(['admin', 'auditor', 'approver'], [], newId());
    for (const requestId of [id, newId(), 'no-uuid', '']) expect(await codeOf(get(stranger, requestId))).toBe('REQUEST_NOT_FOUND');
  });
});
