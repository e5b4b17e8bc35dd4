import { describe, expect, test } from 'vitest';
import { ApprovalCase, freshStage, keysOfOpen } from './approval-case.ts';
import { Person } from './person.ts';
import type { Stage } from './stage.ts';
import { opinionOf, type Verdict, Vote } from './vote.ts';

const at = new Date('2026-01-01T00:00:00Z');

const caseOf = (...plan: Stage[]): ApprovalCase => {
  const stages = plan.map(freshStage);
  return Object.assign(new ApprovalCase(), { status: 'PENDING', stages, openTo: keysOfOpen(stages), decidedAt: null });
};
const person = (id: string, orgRoles: string[], active = true): Person =>
  Object.assign(new Person(), { id, orgRoles, teamIds: [], active });
const voteOf = (deciderId: string, verdict: Verdict = 'APPROVE'): Vote =>
  Object.assign(new Vote(), { deciderId, verdict, stage: null, decidedAt: at });

const approval: Stage = { name: 'approval', required: 1, roles: ['approver', 'admin'], teamId: '' };
const admin: Stage = { name: 'admin', required: 1, roles: ['admin'], teamId: '' };

describe('a case', () => {
  test('when it is opened, then it is open to everybody whom its plan names', () => {
    expect(caseOf(approval, { ...admin, teamId: 'owners' }).openTo).toEqual(['role:approver', 'role:admin', 'team:owners']);
  });

  test('when a stage is filled, then it is no longer open to those who fit that one only', () => {
    const found = caseOf(approval, admin);
    found.count([voteOf('a')], [person('a', ['approver'])]);
    expect(found.openTo).toEqual(['role:admin']);
    expect([found.approvals, found.requiredApprovals]).toEqual([1, 2]);
  });

  test('when a voter was deactivated or lost the role, then the vote does not count and its place is open again', () => {
    const found = caseOf(approval);
    const vote = voteOf('a');
    found.count([vote], [person('a', ['approver'])]);
    expect(vote.stage).toBe('approval');
    for (const changed of [person('a', ['approver'], false), person('a', ['requester'])]) {
      expect(found.count([vote], [changed]).approvals).toBe(0);
      expect(vote.stage).toBeNull();
      expect(found.openTo).toEqual(['role:approver', 'role:admin']);
    }
  });

  test('when somebody rejects, then that is no approval', () => {
    expect(caseOf(approval).count([voteOf('a', 'REJECT')], [person('a', ['approver'])]).approvals).toBe(0);
  });

  test('when somebody fits a full and an open stage, then they speak for the open one', () => {
    const found = caseOf(approval, admin);
    found.count([voteOf('a')], [person('a', ['approver'])]);
    expect(found.stageFor(person('b', ['admin']))).toBe('admin');
    expect(found.stageFor(person('c', ['approver']))).toBe('approval');
    expect(found.stageFor(person('d', ['requester']))).toBeUndefined();
  });

  test('when it is decided, then it cannot be decided again', () => {
    const found = caseOf(approval);
    found.decide('REJECTED', at);
    expect([found.status, found.decidedAt]).toEqual(['REJECTED', at]);
    expect(() => found.decide('APPROVED', at)).toThrow(
      expect.objectContaining({ code: 'REQUEST_NOT_PENDING', members: { requestStatus: 'REJECTED' } }),
    );
  });
});

describe('an opinion', () => {
  test('when it is neither for nor against, then the field is named', () => {
    for (const verdict of ['', 'approve', 'ABSTAIN']) {
      expect(() => opinionOf({ verdict, comment: '' })).toThrow(
        expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/verdict' })] }),
      );
    }
  });

  test('when the comment has 2000 characters, then it fits; one more does not', () => {
    expect(opinionOf({ verdict: 'APPROVE', comment: 'x'.repeat(2000) }).comment).toHaveLength(2000);
    expect(() => opinionOf({ verdict: 'APPROVE', comment: 'x'.repeat(2001) })).toThrow(
      expect.objectContaining({ fields: [expect.objectContaining({ pointer: '/comment' })] }),
    );
  });
});
