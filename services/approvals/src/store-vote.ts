import type { CallFunction } from '@accessops/db';
import { type Event, outgoing, tells } from '@accessops/events';
import type { ApprovalCase } from './approval-case.ts';
import type { Cast } from './cast-vote.ts';
import type { Submission } from './submission.ts';

const approvals = { service: 'approvals', tells: tells.approvals };

/** A vote, the case as it has become by it, and what is told of it. */
export interface Recording extends Cast {
  found: ApprovalCase;
  /** Of a case that is not open yet. */
  submission: Submission | undefined;
  events: Event[];
}

const rowOf = ({ tenantId, requestId, status, version, stages, openTo, decidedAt }: ApprovalCase, submission: Submission | undefined) => ({
  tenant_id: tenantId,
  request_id: requestId,
  status,
  version,
  stages,
  open_to: openTo,
  decided_at: decidedAt,
  ...(submission && {
    requester_id: submission.requesterId,
    requester_email: submission.requesterEmail,
    custodian_ids: submission.custodianIds,
    resource_id: submission.resourceId,
    role: submission.role,
    justification: submission.justification,
    duration: submission.duration,
    created_at: submission.createdAt,
  }),
});

/**
 * Stores everything that a vote changes, with its events, in one round trip; the lock of the case's row makes votes one after the
 * other. Answers false, and changes nothing, when the case is no longer what the vote was counted on.
 */
export const storeVote = async (database: CallFunction, recording: Recording): Promise<boolean> => {
  const { found, vote, moved, newcomer, submission, events } = recording;
  const cast = {
    tenant_id: vote.tenantId,
    request_id: vote.requestId,
    decider_id: vote.deciderId,
    decider_email: vote.deciderEmail,
    verdict: vote.verdict,
    comment: vote.comment,
    stage: vote.stage,
    decided_at: vote.decidedAt,
  };
  const others = moved.map(({ deciderId, stage }) => ({ decider_id: deciderId, stage }));
  const person = newcomer && {
    tenant_id: newcomer.tenantId,
    id: newcomer.id,
    email: newcomer.email,
    active: newcomer.active,
    org_roles: newcomer.orgRoles,
    team_ids: newcomer.teamIds,
    version: newcomer.version,
  };
  const told = events.map((event) => outgoing(approvals, event));
  const values = [rowOf(found, submission), cast, others, person ?? null, told].map((value) => JSON.stringify(value));
  const [answer] = await database<{ store_vote: boolean }>('store_vote', values);
  return answer?.store_vote === true;
};
