import { onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import type { DecideResponseSchema } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { ApprovalDecidedSchema, DecisionRecordedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { LockMode } from '@mikro-orm/postgresql';
import { ApprovalCase, notPending } from './approval-case.ts';
import { knowPerson } from './know-person.ts';
import { openCase } from './open-case.ts';
import { Person } from './person.ts';
import { submissionOf } from './submission.ts';
import { type Opinion, Vote } from './vote.ts';

/** Cause of a NOT_ELIGIBLE: what is known here of the caller does not (yet, or any more) bear out what the principal says. */
export const unconfirmed = new Error('The projection does not bear out the roles of the principal');

const lockCase = ({ em }: Ctx, requestId: string) =>
  em.findOne(ApprovalCase, { requestId }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });

/** The case under lock; opened first when a vote is faster than the event that would have done so. */
const takeCase = async (ctx: Ctx, request: AccessRequest): Promise<ApprovalCase> => {
  const found = await lockCase(ctx, request.id);
  if (found && found.stages.length > 0) return found;
  const requester = await ctx.em.findOne(Person, { tenantId: ctx.tenantId, id: request.requesterId });
  await openCase(ctx.em, ctx.tenantId, submissionOf(request, requester?.email));
  const opened = await lockCase(ctx, request.id);
  if (!opened) throw notPending(request.status);
  return opened;
};

/** Those who have voted and the caller, as they are now. Somebody created a moment ago is taken as the principal says. */
const peopleOf = async ({ em, tenantId, principal }: Ctx, votes: Vote[]): Promise<Person[]> => {
  const find = () => em.find(Person, { tenantId, id: { $in: [principal.id, ...votes.map(({ deciderId }) => deciderId)] } });
  const people = await find();
  if (people.some(({ id }) => id === principal.id)) return people;
  const { id, email, orgRoles, teams } = principal;
  await knowPerson(em, tenantId, { id, email, active: true, orgRoles, teamIds: teams.map((team) => team.id), version: -1 });
  return find();
};

/**
 * One vote in one transaction: under the lock of the case, so that of votes at the same moment one is counted after the other.
 * Errors: REQUEST_NOT_PENDING, ALREADY_DECIDED, NOT_ELIGIBLE.
 */
export const recordVote = async (
  ctx: Ctx,
  request: AccessRequest,
  { verdict, comment }: Opinion,
): Promise<MessageInitShape<typeof DecideResponseSchema>> => {
  if (request.status !== 'PENDING') throw notPending(request.status);
  const { em, tenantId, actor, principal } = ctx;
  const requestId = request.id;
  const found = await takeCase(ctx, request);
  const votes = await em.find(Vote, { tenantId, requestId }, { orderBy: { decidedAt: 'asc', deciderId: 'asc' } });
  if (votes.some(({ deciderId }) => deciderId === principal.id)) throw new AppError('ALREADY_DECIDED');
  found.assertPending();
  const people = await peopleOf(ctx, votes);
  const caller = people.find(({ id, active }) => id === principal.id && active);
  if (!caller || !found.stageFor(caller)) throw new AppError('NOT_ELIGIBLE', undefined, { cause: unconfirmed });

  const vote = em.create(Vote, {
    tenantId,
    requestId,
    deciderId: principal.id,
    deciderEmail: principal.email,
    verdict,
    comment,
    stage: null,
    decidedAt: ctx.now(),
  });
  const { complete } = found.count([...votes, vote], people);
  if (verdict === 'REJECT') vote.stage = found.stageFor(caller) ?? null;
  if (!vote.stage) throw new AppError('NOT_ELIGIBLE');
  const outcome = verdict === 'REJECT' ? 'REJECTED' : complete ? 'APPROVED' : undefined;
  if (outcome) found.decide(outcome, ctx.now());
  await em.flush().catch(onUnique({ vote_pkey: 'ALREADY_DECIDED' }));

  emit(ctx, DecisionRecordedSchema, { requestId, deciderId: principal.id, verdict }, requestId, {
    action: 'DECISION_RECORDED',
    entityType: 'REQUEST',
    entityId: requestId,
    changes: { verdict: { after: verdict }, stage: { after: vote.stage }, ...(comment && { comment: { after: comment } }) },
  });
  if (outcome) emit(ctx, ApprovalDecidedSchema, { requestId, outcome, decider: actor }, requestId, null);
  const { status, approvals, requiredApprovals } = found;
  return { requestId, stage: vote.stage, status, approvals, requiredApprovals };
};
