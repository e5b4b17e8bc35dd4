import type { CallFunction } from '@accessops/db';
import { type Event, eventFrom } from '@accessops/events';
import type { DecideResponseSchema } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { ApprovalDecidedSchema, DecisionRecordedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { notPending } from './approval-case.ts';
import { type Cast, castVote } from './cast-vote.ts';
import { readStanding } from './read-standing.ts';
import { storeVote } from './store-vote.ts';
import { submissionOf } from './submission.ts';
import type { Opinion } from './vote.ts';

const eventsOf = (call: Call, { vote: { requestId, deciderId, verdict, stage, comment }, outcome }: Cast): Event[] => {
  const recorded = eventFrom(call, DecisionRecordedSchema, { requestId, deciderId, verdict }, requestId, {
    action: 'DECISION_RECORDED',
    entityType: 'REQUEST',
    entityId: requestId,
    changes: { verdict: { after: verdict }, stage: { after: stage }, ...(comment && { comment: { after: comment } }) },
  });
  if (!outcome) return [recorded];
  return [recorded, eventFrom(call, ApprovalDecidedSchema, { requestId, outcome, decider: call.actor }, requestId, null)];
};

/**
 * Counts and stores one vote. Of votes at the same moment one is stored first; the others are counted again on what it left.
 * Errors: REQUEST_NOT_PENDING, ALREADY_DECIDED, NOT_ELIGIBLE.
 */
export const recordVote = async (
  call: Call,
  database: CallFunction,
  request: AccessRequest,
  opinion: Opinion,
): Promise<MessageInitShape<typeof DecideResponseSchema>> => {
  if (request.status !== 'PENDING') throw notPending(request.status);
  const { tenantId, principal } = call;
  for (;;) {
    const standing = await readStanding(database, { tenantId, request, callerId: principal.id });
    const { found } = standing;
    const submission = found.version === 0 ? submissionOf(request) : undefined;
    const cast = castVote(standing, principal, opinion, call.now());
    if (await storeVote(database, { ...cast, found, submission, events: eventsOf(call, cast) })) {
      const { status, approvals, requiredApprovals } = found;
      return { requestId: request.id, stage: cast.vote.stage ?? '', status, approvals, requiredApprovals };
    }
  }
};
