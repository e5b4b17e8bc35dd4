import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { exampleId, id, name, teamRole } from '../fields.ts';
import { listedTeamExample, listedTeamJson, listedTeamSchema, teamExample, teamJson, teamSchema } from '../representations/team.ts';

const description = z.string().max(2000);

const newTeam = z.strictObject({ name, description: description.optional() }).openapi('NewTeam');

const change = z.strictObject({ name: name.optional(), description: description.nullable().optional() }).openapi('TeamChange');

const newMember = z.strictObject({ userId: id('Who joins.'), role: teamRole }).openapi('NewTeamMember');

const answer: Answer = { status: 200, description: 'The team.', schema: teamSchema, example: teamExample, etag: true };

/** The teams of the tenant. */
export const orgTeamRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/teams',
    operationId: 'listTeams',
    tag: 'Organisation',
    summary: 'The teams of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'list' },
    list: { fields: { id: 'uuid', name: 'text', createdAt: 'time' }, defaultSort: 'name' },
    item: { schema: listedTeamSchema, example: listedTeamExample },
    handle: async ({ services, query, options }) => pageOf(await services.identity.listTeams({ query }, options), listedTeamJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/teams',
    operationId: 'createTeam',
    tag: 'Organisation',
    summary: 'Create a team',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'create' },
    body: { schema: newTeam, example: { name: 'Customer data', description: 'Owns what customers have told us' } },
    answer: { ...answer, status: 201, example: { ...teamExample, members: [] } },
    errors: ['TEAM_NAME_TAKEN'],
    handle: async ({ services, body, options }) => teamJson(await services.identity.createTeam(body, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/teams/{id}',
    operationId: 'getTeam',
    tag: 'Organisation',
    summary: 'One team with its members',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'read' },
    answer,
    errors: ['TEAM_NOT_FOUND'],
    handle: async ({ services, params, options }) => teamJson(await services.identity.getTeam({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/teams/{id}',
    operationId: 'updateTeam',
    tag: 'Organisation',
    summary: 'Change name or description',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'update' },
    body: { schema: change, example: { name: 'Customer records' } },
    answer,
    errors: ['TEAM_NOT_FOUND', 'TEAM_NAME_TAKEN'],
    handle: async ({ services, params, body, options }) =>
      teamJson(
        await services.identity.updateTeam(
          { id: params.id, name: body.name, description: body.description === null ? '' : body.description },
          options,
        ),
      ),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/teams/{id}',
    operationId: 'deleteTeam',
    tag: 'Organisation',
    summary: 'Delete a team',
    description: 'What it owned is owned by nobody. Requests that wait for a decision of it are `LAPSED`: filed again they go to others.',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'delete' },
    answer: { status: 204, description: 'The team is gone; its members stay.' },
    errors: ['TEAM_NOT_FOUND'],
    handle: ({ services, params, options }) => services.identity.deleteTeam({ id: params.id }, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/teams/{id}/members',
    operationId: 'addTeamMember',
    tag: 'Organisation',
    summary: 'Put a user into a team, or change the role there',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'add_member' },
    body: { schema: newMember, example: { userId: exampleId, role: 'member' } },
    answer,
    errors: ['TEAM_NOT_FOUND', 'USER_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      teamJson(await services.identity.addTeamMember({ teamId: params.id, ...body }, options)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/teams/{id}/members/{userId}',
    operationId: 'removeTeamMember',
    tag: 'Organisation',
    summary: 'Take a user out of a team',
    audience: 'org-admin',
    cerbos: { resource: 'team', action: 'remove_member' },
    answer: { status: 204, description: 'The user is no longer in the team.' },
    errors: ['TEAM_NOT_FOUND', 'NOT_A_TEAM_MEMBER'],
    handle: ({ services, params, options }) => services.identity.removeTeamMember({ teamId: params.id, userId: params.userId }, options),
  }),
];
