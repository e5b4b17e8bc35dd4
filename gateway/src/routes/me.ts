import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { personName } from '../fields.ts';
import { meExample, meJson, meSchema } from '../representations/me.ts';
import { ownTenantExample, ownTenantJson, ownTenantSchema } from '../representations/own-tenant.ts';
import {
  ownTeamExample,
  ownTeamJson,
  ownTeamSchema,
  teamMemberExample,
  teamMemberJson,
  teamMemberSchema,
} from '../representations/team.ts';

const names = z.strictObject({ firstName: personName.optional(), lastName: personName.optional() }).openapi('OwnNames');

const answer: Answer = { status: 200, description: 'The caller.', schema: meSchema, example: meExample, etag: true };

/** The caller, and the caller's teams. */
export const meRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/me',
    operationId: 'getMe',
    tag: 'Me',
    summary: 'Who I am and what I may do',
    audience: 'app',
    cerbos: { resource: 'me', action: 'read' },
    answer,
    handle: async ({ services, options, permissions }) => {
      const [found, allowed] = await Promise.all([services.identity.getMe({}, options), permissions()]);
      return meJson(found, allowed);
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/me',
    operationId: 'updateMe',
    tag: 'Me',
    summary: 'Change my names',
    audience: 'app',
    cerbos: { resource: 'me', action: 'update' },
    body: { schema: names, example: { firstName: 'Rosalind' } },
    answer,
    handle: async ({ services, body, options, permissions }) => {
      const [changed, allowed] = await Promise.all([services.identity.updateMe(body, options), permissions()]);
      return meJson(changed, allowed);
    },
  }),
  defineList({
    path: '/api/v1/me/tenants',
    operationId: 'listMyTenants',
    tag: 'Me',
    summary: 'The tenants that I belong to',
    description: 'Somebody of several tenants names one of them with `X-Tenant` in other calls. Sign in again to act in a new one.',
    audience: 'app',
    anyTenant: true,
    cerbos: { resource: 'me', action: 'read' },
    list: { fields: { id: 'uuid', slug: 'text', name: 'text', status: 'choice' }, defaultSort: 'slug' },
    item: { schema: ownTenantSchema, example: ownTenantExample },
    handle: async ({ services, query, options }) => pageOf(await services.identity.listMyTenants({ query }, options), ownTenantJson),
  }),
  defineList({
    path: '/api/v1/me/teams',
    operationId: 'listMyTeams',
    tag: 'Me',
    summary: 'My teams',
    audience: 'app',
    cerbos: { resource: 'team', action: 'list_own' },
    list: { fields: { id: 'uuid', name: 'text', role: 'text' }, defaultSort: 'name' },
    item: { schema: ownTeamSchema, example: ownTeamExample },
    handle: async ({ services, query, options }) => pageOf(await services.identity.listMyTeams({ query }, options), ownTeamJson),
  }),
  defineList({
    path: '/api/v1/me/teams/{id}/members',
    operationId: 'listMyTeamMembers',
    tag: 'Me',
    summary: 'The members of one of my teams',
    audience: 'app',
    cerbos: { resource: 'team', action: 'read_members' },
    list: { fields: { userId: 'uuid', email: 'text', firstName: 'text', lastName: 'text', role: 'text' }, defaultSort: 'email' },
    item: { schema: teamMemberSchema, example: teamMemberExample },
    errors: ['TEAM_NOT_FOUND'],
    handle: async ({ services, params, query, options }) =>
      pageOf(await services.identity.listTeamMembers({ teamId: params.id, query }, options), teamMemberJson),
  }),
];
