import type { Principal } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import type { ApprovalCase } from './approval-case.ts';
import { Person } from './person.ts';
import { type Opinion, Vote } from './vote.ts';

/** A case, its votes in their order, who the voters and the caller are now, and who may act as the service account that asks. */
export interface Standing {
  found: ApprovalCase;
  votes: Vote[];
  people: Person[];
  custodians: ReadonlySet<string>;
}

/** What a vote has changed. */
export interface Cast {
  vote: Vote;
  /** Earlier votes that go to another stage now, or to none. */
  moved: Vote[];
  /** The caller, when not known here before. */
  newcomer: Person | undefined;
  /** When the vote has decided the case. */
  outcome: 'APPROVED' | 'REJECTED' | undefined;
}

/** Cause of a NOT_ELIGIBLE: what is known here of the caller does not (yet, or any more) bear out what the principal says. */
export const unconfirmed = new Error('The projection does not bear out the roles of the principal');

/** Whoever may act as the account that asks would decide on what they may have asked for themselves. Errors: SELF_APPROVAL_FORBIDDEN. */
export const assertNoCustodian = (custodians: ReadonlySet<string>, callerId: string): void => {
  if (custodians.has(callerId))
    throw new AppError('SELF_APPROVAL_FORBIDDEN', 'You may act as the service account that asks: nobody decides on their own request.');
};

/** Any event about the person is newer. */
const toldByPrincipal = -1;

const personOf = ({ id, email, orgRoles, teams }: Principal, tenantId: string): Person =>
  Object.assign(new Person(), {
    tenantId,
    id,
    email,
    active: true,
    orgRoles,
    teamIds: teams.map((team) => team.id),
    version: toldByPrincipal,
  });

/**
 * Adds the caller's vote to the case and decides it when that was the last one needed. Somebody of whom no event has told yet is
 * taken as the principal says. Errors: ALREADY_DECIDED, REQUEST_NOT_PENDING, SELF_APPROVAL_FORBIDDEN, NOT_ELIGIBLE.
 */
export const castVote = (
  { found, votes, people, custodians }: Standing,
  principal: Principal,
  { verdict, comment }: Opinion,
  at: Date,
): Cast => {
  if (votes.some(({ deciderId }) => deciderId === principal.id)) throw new AppError('ALREADY_DECIDED');
  found.assertPending();
  assertNoCustodian(custodians, principal.id);
  const known = people.find(({ id }) => id === principal.id);
  const caller = known ?? personOf(principal, found.tenantId);
  if (!caller.active || !found.stageFor(caller)) throw new AppError('NOT_ELIGIBLE', undefined, { cause: unconfirmed });

  const { tenantId, requestId } = found;
  const by = { deciderId: principal.id, deciderEmail: principal.email };
  const vote: Vote = Object.assign(new Vote(), { tenantId, requestId, ...by, verdict, comment, decidedAt: at });
  const stagesBefore = votes.map(({ stage }) => stage);
  const { complete } = found.count(
    [...votes, vote],
    [...people, caller].filter(({ id }) => !custodians.has(id)),
  );
  if (verdict === 'REJECT') vote.stage = found.stageFor(caller) ?? null;
  if (!vote.stage) throw new AppError('NOT_ELIGIBLE');

  const outcome = verdict === 'REJECT' ? 'REJECTED' : complete ? 'APPROVED' : undefined;
  if (outcome) found.decide(outcome, at);
  const moved = votes.filter(({ stage }, index) => stage !== stagesBefore[index]);
  return { vote, moved, newcomer: known ? undefined : caller, outcome };
};
