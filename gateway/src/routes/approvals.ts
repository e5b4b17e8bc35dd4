import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import {
  approvalExample,
  approvalJson,
  approvalSchema,
  decisionExample,
  decisionJson,
  decisionSchema,
  pendingApprovalExample,
  pendingApprovalJson,
  pendingApprovalSchema,
} from '../representations/approval.ts';

const vote = z.strictObject({ comment: z.string().max(2000).optional() }).openapi('Vote');

const decide = (verb: 'approve' | 'reject', summary: string): Route =>
  defineRoute({
    method: 'post',
    path: `/api/v1/requests/{id}/${verb}`,
    operationId: `${verb}Request`,
    tag: 'Approvals',
    summary,
    audience: 'app',
    cerbos: { resource: 'approval', action: 'decide' },
    body: { schema: vote, example: { comment: 'Fine by me' }, optional: true },
    answer: {
      status: 200,
      description: 'What the vote did.',
      schema: decisionSchema,
      example: verb === 'approve' ? decisionExample : { ...decisionExample, status: 'REJECTED', approvals: 0 },
    },
    errors: ['SELF_APPROVAL_FORBIDDEN', 'NOT_ELIGIBLE', 'ALREADY_DECIDED', 'REQUEST_NOT_PENDING', 'REQUEST_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      decisionJson(
        await services.approvals.decide(
          { requestId: params.id, verdict: verb === 'approve' ? 'APPROVE' : 'REJECT', comment: body.comment ?? '' },
          options,
        ),
      ),
  });

/** Deciding on requests. */
export const approvalRoutes: Route[] = [
  defineList({
    path: '/api/v1/approvals/pending',
    operationId: 'listPendingApprovals',
    tag: 'Approvals',
    summary: 'What waits for my vote',
    audience: 'app',
    cerbos: { resource: 'approval', action: 'list_pending' },
    list: {
      fields: {
        requestId: 'uuid',
        status: 'text',
        requesterId: 'uuid',
        requesterEmail: 'text',
        resourceId: 'uuid',
        role: 'text',
        createdAt: 'time',
      },
      defaultSort: '-createdAt',
    },
    item: { schema: pendingApprovalSchema, example: pendingApprovalExample },
    handle: async ({ services, query, options }) =>
      pageOf(await services.approvals.listPendingApprovals({ query }, options), pendingApprovalJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/approvals/{requestId}',
    operationId: 'getApproval',
    tag: 'Approvals',
    summary: 'The stages and votes of a request, and who can still decide',
    audience: 'app',
    cerbos: { resource: 'approval', action: 'read' },
    answer: { status: 200, description: 'The case.', schema: approvalSchema, example: approvalExample },
    errors: ['REQUEST_NOT_FOUND'],
    handle: async ({ services, params, options }) =>
      approvalJson(await services.approvals.getApproval({ requestId: params.requestId }, options)),
  }),
  decide('approve', 'Vote for a request'),
  decide('reject', 'Vote against a request, which ends it'),
];
