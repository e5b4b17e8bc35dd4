import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { email, orgRole } from '../fields.ts';
import { invitationExample, invitationJson, invitationSchema } from '../representations/invitation.ts';

const newInvitation = z.strictObject({ email, orgRoles: z.array(orgRole).min(1).max(5) }).openapi('NewInvitation');

const item = { schema: invitationSchema, example: invitationExample };

/** Who was asked to join the tenant. */
export const orgInvitationRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/invitations',
    operationId: 'listInvitations',
    tag: 'Organisation',
    summary: 'The invitations of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'invitation', action: 'list' },
    list: {
      fields: { id: 'uuid', email: 'text', status: 'choice', invitedBy: 'uuid', createdAt: 'time', expiresAt: 'time' },
      defaultSort: '-createdAt',
    },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.identity.listInvitations({ query }, options), invitationJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/invitations',
    operationId: 'createInvitation',
    tag: 'Organisation',
    summary: 'Invite somebody by mail',
    description:
      'The link is good for seven days. An invitation that the address has already is sent again, and its former link is worth nothing.',
    audience: 'org-admin',
    cerbos: { resource: 'invitation', action: 'create' },
    body: { schema: newInvitation, example: { email: 'rosa@acme.test', orgRoles: ['requester'] } },
    answer: { status: 201, description: 'The invitation; its mail is on its way.', ...item },
    errors: ['EMAIL_TAKEN', 'VERSION_CONFLICT', 'TOO_MANY_MAILS'],
    handle: async ({ services, body, options }) => invitationJson(await services.identity.createInvitation(body, options)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/invitations/{id}',
    operationId: 'revokeInvitation',
    tag: 'Organisation',
    summary: 'Revoke an invitation',
    audience: 'org-admin',
    cerbos: { resource: 'invitation', action: 'revoke' },
    answer: { status: 204, description: 'Its link is worth nothing.' },
    errors: ['INVITATION_NOT_FOUND', 'INVITATION_NOT_PENDING'],
    handle: ({ services, params, options }) => services.identity.revokeInvitation({ id: params.id }, options),
  }),
];
