import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { orgRole } from '../fields.ts';
import { membershipExample, membershipJson, membershipSchema } from '../representations/membership.ts';

const change = z.strictObject({ orgRoles: z.array(orgRole).min(1).max(5) }).openapi('MembershipChange');

const item = { schema: membershipSchema, example: membershipExample };

/** Who holds which org roles. */
export const orgMembershipRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/memberships',
    operationId: 'listMemberships',
    tag: 'Organisation',
    summary: 'Who holds which org roles',
    audience: 'org-admin',
    cerbos: { resource: 'membership', action: 'list' },
    list: { fields: { userId: 'uuid', email: 'text', orgRoles: 'text-list', active: 'boolean' }, defaultSort: 'email' },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.identity.listMemberships({ query }, options), membershipJson),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/memberships/{userId}',
    operationId: 'updateMembership',
    tag: 'Organisation',
    summary: "Replace a user's org roles",
    description: 'What a role allowed is refused within a second of its loss.',
    audience: 'org-admin',
    cerbos: { resource: 'membership', action: 'update' },
    body: { schema: change, example: { orgRoles: ['requester', 'approver'] } },
    answer: { status: 200, description: 'The membership.', ...item, etag: true },
    errors: ['USER_NOT_FOUND', 'LAST_ADMIN'],
    handle: async ({ services, params, body, options }) =>
      membershipJson(await services.identity.updateMembership({ userId: params.userId, ...body }, options)),
  }),
];
