import type { Approval, DecideResponse } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { z } from '@hono/zod-openapi';
import { duration, exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf } from './proto.ts';

const pendingFields = {
  requestId: id('The request.'),
  status: z.enum(['PENDING', 'APPROVED', 'REJECTED', 'CANCELLED']),
  requesterId: id('Who asks.'),
  requesterEmail: z.string(),
  resourceId: id('For what.'),
  role: z.string(),
  justification: z.string(),
  duration,
  approvals: z.int().openapi({ description: 'How many votes count so far.' }),
  requiredApprovals: z.int(),
  stages: z.array(
    z.object({
      name: z.string(),
      required: z.int(),
      approvals: z.int(),
      roles: z.array(z.string()),
      teamId: id('Members of this team can decide.').nullable(),
    }),
  ),
  createdAt: time,
};

export const pendingApprovalSchema = z.object(pendingFields).openapi('PendingApproval');

export const approvalSchema = z
  .object({
    ...pendingFields,
    votes: z.array(
      z.object({
        deciderId: id('Who voted.'),
        deciderEmail: z.string(),
        verdict: z.enum(['APPROVE', 'REJECT']),
        comment: z.string().nullable(),
        decidedAt: time,
        stage: z.string().nullable().openapi({ description: 'The stage it counts for; null when it counts for none (any more).' }),
      }),
    ),
    candidates: z.array(z.object({ userId: id('Who can still decide.'), email: z.string() })),
  })
  .openapi('Approval');

export const decisionSchema = z
  .object({
    requestId: id('The request.'),
    stage: z.string().openapi({ description: 'The stage the vote went to.' }),
    status: z.enum(['PENDING', 'APPROVED', 'REJECTED']),
    approvals: z.int(),
    requiredApprovals: z.int(),
  })
  .openapi('Decision');

type PendingApprovalJson = z.infer<typeof pendingApprovalSchema>;
type ApprovalJson = z.infer<typeof approvalSchema>;
type DecisionJson = z.infer<typeof decisionSchema>;

export const pendingApprovalExample: PendingApprovalJson = {
  requestId: exampleId,
  status: 'PENDING',
  requesterId: '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c31',
  requesterEmail: 'requester@acme.test',
  resourceId: '0192f0c1-2222-7b4d-8c6f-2a9d1e4b7c32',
  role: 'reader',
  justification: 'Looking into an incident',
  duration: 'PT4H',
  approvals: 1,
  requiredApprovals: 2,
  stages: [{ name: 'approval', required: 2, approvals: 1, roles: ['approver', 'admin'], teamId: null }],
  createdAt: exampleTime,
};

export const approvalExample: ApprovalJson = {
  ...pendingApprovalExample,
  votes: [
    {
      deciderId: '0192f0c1-3333-7b4d-8c6f-2a9d1e4b7c33',
      deciderEmail: 'approver1@acme.test',
      verdict: 'APPROVE',
      comment: 'Fine by me',
      decidedAt: exampleTime,
      stage: 'approval',
    },
  ],
  candidates: [{ userId: '0192f0c1-4444-7b4d-8c6f-2a9d1e4b7c34', email: 'approver2@acme.test' }],
};

export const decisionExample: DecisionJson = {
  requestId: exampleId,
  stage: 'approval',
  status: 'PENDING',
  approvals: 1,
  requiredApprovals: 2,
};

/** A case as the list shows it: without votes and candidates. */
export const pendingApprovalJson = (approval: Approval): PendingApprovalJson => ({
  requestId: approval.requestId,
  status: approval.status as PendingApprovalJson['status'],
  requesterId: approval.requesterId,
  requesterEmail: approval.requesterEmail,
  resourceId: approval.resourceId,
  role: approval.role,
  justification: approval.justification,
  duration: approval.duration,
  approvals: approval.approvals,
  requiredApprovals: approval.requiredApprovals,
  stages: approval.stages.map(({ name, required, approvals, roles, teamId }) => ({
    name,
    required,
    approvals,
    roles,
    teamId: orNull(teamId),
  })),
  createdAt: timeOf(approval.createdAt),
});

/** A case with its votes and who can still decide. */
export const approvalJson = (approval: Approval): ApprovalJson => ({
  ...pendingApprovalJson(approval),
  votes: approval.votes.map((vote) => ({
    deciderId: vote.deciderId,
    deciderEmail: vote.deciderEmail,
    verdict: vote.verdict as ApprovalJson['votes'][number]['verdict'],
    comment: orNull(vote.comment),
    decidedAt: timeOf(vote.decidedAt),
    stage: orNull(vote.stage),
  })),
  candidates: approval.candidates.map(({ userId, email }) => ({ userId, email })),
});

/** What a vote did. */
export const decisionJson = ({ requestId, stage, status, approvals, requiredApprovals }: DecideResponse): DecisionJson => ({
  requestId,
  stage,
  status: status as DecisionJson['status'],
  approvals,
  requiredApprovals,
});
