import { principalSchema } from '@accessops/authn';
import { describe, expect, test } from 'vitest';
import { ApprovalCase, freshStage, keysOfOpen } from './approval-case.ts';
import { castVote, unconfirmed } from './cast-vote.ts';
import { Person } from './person.ts';
import type { Stage } from './stage.ts';
import { Vote } from './vote.ts';

const at = new Date('2026-01-01T00:00:00Z');
const approval: Stage = { name: 'approval', required: 1, roles: ['approver', 'admin'], teamId: '' };
const admin: Stage = { name: 'admin', required: 1, roles: ['admin'], teamId: '' };
const yes = { verdict: 'APPROVE', comment: '' } as const;
const no = { verdict: 'REJECT', comment: 'no' } as const;

const nobody = {
  realmRoles: [],
  teams: [],
  licenseTier: '',
  flags: [],
  permissions: [],
  mfaLevel: 1,
  mfaEnrolled: false,
  mfaRequired: false,
  riskFlags: [],
  custodianIds: [],
  sessionId: null,
};
const inAcme = { ...nobody, type: 'user', tenantId: 't', tenantSlug: 'acme', audience: 'app' };
const principalOf = (id: string, orgRoles: string[]) => principalSchema.parse({ ...inAcme, id, email: `${id}@acme.test`, orgRoles });
const person = (id: string, orgRoles: string[], active = true): Person =>
  Object.assign(new Person(), { id, orgRoles, teamIds: [], active });

const standing = (plan: Stage[], voters: Person[] = [], people: Person[] = [], custodians: string[] = []) => {
  const stages = plan.map(freshStage);
  const state = { tenantId: 't', requestId: 'r', status: 'PENDING', stages, openTo: keysOfOpen(stages), decidedAt: null, version: 1 };
  const found = Object.assign(new ApprovalCase(), state);
  const votes = voters.map(({ id }) => Object.assign(new Vote(), { deciderId: id, verdict: 'APPROVE', stage: null }));
  found.count(votes, voters);
  return { found, votes, people: [...voters, ...people], custodians: new Set(custodians) };
};

describe('castVote', () => {
  test('when the last approval needed comes, then the case is approved', () => {
    const now = standing([approval], [], [person('a', ['approver'])]);
    expect(castVote(now, principalOf('a', ['approver']), yes, at)).toMatchObject({
      vote: { tenantId: 't', requestId: 'r', deciderId: 'a', verdict: 'APPROVE', stage: 'approval', decidedAt: at },
      moved: [],
      newcomer: undefined,
      outcome: 'APPROVED',
    });
    expect(now.found).toMatchObject({ status: 'APPROVED', decidedAt: at, openTo: [] });
  });

  test('when somebody rejects, then the case is rejected and no approval is counted', () => {
    const now = standing([approval, admin], [], [person('a', ['admin'])]);
    expect(castVote(now, principalOf('a', ['admin']), no, at)).toMatchObject({
      vote: { stage: 'approval', comment: 'no' },
      outcome: 'REJECTED',
    });
    expect(now.found.approvals).toBe(0);
  });

  test('when a voter may act as the machine that asks, then their vote does not count, and the caller casts none', () => {
    const two = { ...approval, required: 2 };
    const now = standing([two], [person('a', ['approver'])], [person('b', ['approver'])], ['a', 'c']);
    expect(castVote(now, principalOf('b', ['approver']), yes, at)).toMatchObject({
      moved: [{ deciderId: 'a', stage: null }],
      outcome: undefined,
    });
    expect(now.found.approvals).toBe(1);
    for (const opinion of [yes, no])
      expect(() => castVote(now, principalOf('c', ['approver']), opinion, at)).toThrow(
        expect.objectContaining({ code: 'SELF_APPROVAL_FORBIDDEN' }),
      );
  });

  test('when an earlier vote moves to another stage, then that is told', () => {
    const now = standing([approval, admin], [person('a', ['admin'])], [person('b', ['approver'])]);
    const { moved, outcome } = castVote(now, principalOf('b', ['approver']), yes, at);
    expect(moved.map(({ deciderId, stage }) => [deciderId, stage])).toEqual([['a', 'admin']]);
    expect(outcome).toBe('APPROVED');
  });

  test('when nothing is known of the caller, then the principal is believed and remembered as older than any event', () => {
    const { newcomer } = castVote(standing([approval]), principalOf('a', ['approver']), yes, at);
    expect(newcomer).toMatchObject({ tenantId: 't', id: 'a', active: true, orgRoles: ['approver'], version: -1 });
  });

  test('when what is known of the caller says otherwise than the principal, then it is refused as unconfirmed', () => {
    for (const known of [person('a', ['requester']), person('a', ['approver'], false)]) {
      for (const opinion of [yes, no]) {
        expect(() => castVote(standing([approval], [], [known]), principalOf('a', ['approver']), opinion, at)).toThrow(
          expect.objectContaining({ code: 'NOT_ELIGIBLE', cause: unconfirmed }),
        );
      }
    }
  });

  test('when the places somebody fits are taken, then their approval is refused and their rejection is not', () => {
    const taken = () => standing([approval, admin], [person('a', ['approver'])], [person('b', ['approver'])]);
    const refused = () => castVote(taken(), principalOf('b', ['approver']), yes, at);
    expect(refused).toThrow(expect.objectContaining({ code: 'NOT_ELIGIBLE' }));
    expect(refused).not.toThrow(expect.objectContaining({ cause: unconfirmed }));
    expect(castVote(taken(), principalOf('b', ['approver']), no, at).outcome).toBe('REJECTED');
  });

  test('when somebody has voted, then they are told so, also when the case is over', () => {
    const now = standing([approval], [], [person('a', ['approver'])]);
    const { vote } = castVote(now, principalOf('a', ['approver']), yes, at);
    expect(() => castVote({ ...now, votes: [vote] }, principalOf('a', ['approver']), no, at)).toThrow(
      expect.objectContaining({ code: 'ALREADY_DECIDED' }),
    );
    expect(() => castVote(now, principalOf('b', ['approver']), no, at)).toThrow(expect.objectContaining({ code: 'REQUEST_NOT_PENDING' }));
  });
});
