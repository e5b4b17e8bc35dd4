import type { Handlers } from '@accessops/grpc';
import type { ApprovalsService } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { type Call, query } from '@accessops/service';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ApprovalCase } from './approval-case.ts';
import { type DecideParts, decide } from './decide.ts';
import { type ApprovalDetails, getApproval } from './get-approval.ts';
import { listPendingApprovals } from './list-pending-approvals.ts';
import type { Person } from './person.ts';
import type { Vote } from './vote.ts';

const voteToProto = ({ deciderId, deciderEmail, verdict, comment, stage, decidedAt }: Vote) => ({
  deciderId,
  deciderEmail,
  verdict,
  comment,
  stage: stage ?? '',
  decidedAt: timestampFromDate(decidedAt),
});

const candidateToProto = ({ id, email }: Person) => ({ userId: id, email });

const toProto = (found: ApprovalCase) => ({
  requestId: found.requestId,
  status: found.status,
  requesterId: found.requesterId,
  requesterEmail: found.requesterEmail,
  resourceId: found.resourceId,
  role: found.role,
  justification: found.justification,
  duration: found.duration,
  approvals: found.approvals,
  requiredApprovals: found.requiredApprovals,
  stages: found.stages.map(({ name, required, approvals, roles, teamId }) => ({ name, required, approvals, roles, teamId })),
  createdAt: timestampFromDate(found.createdAt),
});

const detailsToProto = ({ found, votes, candidates }: ApprovalDetails) => ({
  ...toProto(found),
  votes: votes.map(voteToProto),
  candidates: candidates.map(candidateToProto),
});

/** The RPCs of this service. */
export const approvalsHandlers = (parts: DecideParts): Handlers<typeof ApprovalsService, Call> => ({
  listPendingApprovals: query(async (ctx, request) => {
    const { items, next } = await listPendingApprovals(ctx, request.query);
    return { items: items.map(toProto), page: { next } };
  }),
  getApproval: async (call, { requestId }) => detailsToProto(await getApproval(call, parts.arbiter, requestId)),
  decide: (call, request) => decide(call, parts, request),
});
