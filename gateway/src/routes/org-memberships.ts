import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { exampleId, id, orgRole } from '../fields.ts';
import { membershipExample, membershipJson, membershipSchema } from '../representations/membership.ts';

const change = z
  .strictObject({
    orgRoles: z.array(orgRole).max(5),
    roles: z.array(id('A custom role.')).max(50).optional().openapi({ description: 'The custom roles from now on; left out, they stay.' }),
  })
  .openapi('MembershipChange');

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
    summary: "Replace a user's org roles and custom roles",
    description: 'What a role allowed is refused within a second of its loss. Nobody gives what they do not have.',
    audience: 'org-admin',
    cerbos: { resource: 'membership', action: 'update' },
    body: { schema: change, example: { orgRoles: ['requester', 'approver'], roles: [exampleId] } },
    answer: { status: 200, description: 'The membership.', ...item, etag: true },
    errors: ['USER_NOT_FOUND', 'LAST_ADMIN', 'CANNOT_GIVE'],
    handle: async ({ services, params, body, options }) =>
      membershipJson(
        await services.identity.updateMembership(
          { userId: params.userId, orgRoles: body.orgRoles, roles: body.roles && { ids: body.roles } },
          options,
        ),
      ),
  }),
];
