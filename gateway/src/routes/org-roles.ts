import type { Role } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, type Route, type RouteCall } from '../define-route.ts';
import { personName } from '../fields.ts';
import { permissionJson, permissionList, permissionSchema, permissionText } from '../representations/permission.ts';
import { roleExample, roleJson, roleSchema } from '../representations/role.ts';

const description = z.string().max(2000);

const newRole = z.strictObject({ name: personName, description: description.optional(), permissions: permissionList }).openapi('NewRole');

const change = z
  .strictObject({ name: personName.optional(), description: description.nullable().optional(), permissions: permissionList.optional() })
  .openapi('RoleChange');

const wholeList = z.strictObject({ permissions: permissionList }).openapi('RolePermissions');

const item = { schema: roleSchema, example: roleExample };
const answer: Answer = { status: 200, description: 'The role.', ...item, etag: true };

const { permissions, version } = roleExample;
const permissionsAnswer: Answer = {
  status: 200,
  description: 'What the role may do.',
  schema: z.object({ permissions: z.array(permissionSchema), version: z.int() }),
  example: { permissions, version },
  etag: true,
};

const catalogueItem = z
  .object({
    resource: z.string(),
    action: z.string(),
    audiences: z.array(z.enum(['app', 'org-admin'])).openapi({ description: 'Of the token that its routes ask for.' }),
    operations: z.array(z.string()).openapi({ description: 'The `operationId`s of the routes that it opens.' }),
    serviceAccounts: z.boolean().openapi({ description: 'Whether service accounts can have it as a scope.' }),
  })
  .openapi('GivablePermission');

const toJson = ({ catalogue }: RouteCall<unknown>, role: Role) => roleJson(role, catalogue.ofSystemRole);

const update = async (call: RouteCall<unknown>, fields: z.infer<typeof change>) => {
  const { services, params, options } = call;
  const role = await services.identity.updateRole(
    {
      id: params.id,
      name: fields.name,
      description: fields.description === null ? '' : fields.description,
      permissions: fields.permissions && { items: fields.permissions.map(permissionText) },
    },
    options,
  );
  return toJson(call, role);
};

const changeErrors = ['ROLE_NOT_FOUND', 'SYSTEM_ROLE', 'ROLE_NAME_TAKEN', 'CANNOT_GIVE'] as const;

/** The roles of the tenant, and what can be in one. */
export const orgRoleRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/org/permissions',
    operationId: 'listPermissions',
    tag: 'Roles',
    summary: 'What custom roles and service accounts can be given',
    description: 'Every pair that a route asks for and that policy opens to whoever has it.',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'list' },
    answer: {
      status: 200,
      description: 'All of them.',
      schema: z.object({ items: z.array(catalogueItem), nextCursor: z.null() }),
      example: {
        items: [{ resource: 'user', action: 'list', audiences: ['org-admin'], operations: ['listUsers'], serviceAccounts: true }],
        nextCursor: null,
      },
    },
    handle: async ({ catalogue }) => {
      const all = await catalogue.all();
      const items = all.map(({ permission, audiences, operationIds, forServiceAccounts }) => ({
        ...permissionJson(permission),
        audiences,
        operations: operationIds,
        serviceAccounts: forServiceAccounts,
      }));
      return { items, nextCursor: null };
    },
  }),
  defineList({
    path: '/api/v1/org/roles',
    operationId: 'listRoles',
    tag: 'Roles',
    summary: 'The roles of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'list' },
    list: { fields: { id: 'uuid', name: 'text', system: 'boolean', createdAt: 'time', updatedAt: 'time' }, defaultSort: 'name' },
    item,
    handle: async (call) => {
      const { items, page } = await call.services.identity.listRoles({ query: call.query }, call.options);
      return { items: await Promise.all(items.map((role) => toJson(call, role))), next: page?.next ?? '' };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/roles',
    operationId: 'createRole',
    tag: 'Roles',
    summary: 'Create a custom role',
    description: 'It opens exactly what it lists. Nobody puts into it what they do not have.',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'create' },
    body: { schema: newRole, example: { name: roleExample.name, description: 'Looks after resources', permissions } },
    answer: { ...answer, status: 201 },
    errors: ['ROLE_NAME_TAKEN', 'CANNOT_GIVE'],
    handle: async (call) => {
      const { permissions: listed, ...fields } = call.body;
      const request = { ...fields, permissions: listed.map(permissionText) };
      return toJson(call, await call.services.identity.createRole(request, call.options));
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/roles/{id}',
    operationId: 'getRole',
    tag: 'Roles',
    summary: 'One role',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'read' },
    answer,
    errors: ['ROLE_NOT_FOUND'],
    handle: async (call) => toJson(call, await call.services.identity.getRole({ id: call.params.id }, call.options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/roles/{id}',
    operationId: 'updateRole',
    tag: 'Roles',
    summary: 'Change name, description or permissions',
    description: 'For everybody who has the role, within a second.',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'update' },
    body: { schema: change, example: { name: 'Keeper of the catalogue' } },
    answer,
    errors: changeErrors,
    handle: (call) => update(call, call.body),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/roles/{id}',
    operationId: 'deleteRole',
    tag: 'Roles',
    summary: 'Delete a custom role that nobody has',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'delete' },
    answer: { status: 204, description: 'The role is gone.' },
    errors: ['ROLE_NOT_FOUND', 'SYSTEM_ROLE', 'ROLE_IN_USE'],
    handle: ({ services, params, options }) => services.identity.deleteRole({ id: params.id }, options),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/roles/{id}/permissions',
    operationId: 'getRolePermissions',
    tag: 'Roles',
    summary: 'What a role may do',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'read' },
    answer: permissionsAnswer,
    errors: ['ROLE_NOT_FOUND'],
    handle: async (call) => {
      const role = await toJson(call, await call.services.identity.getRole({ id: call.params.id }, call.options));
      return { permissions: role.permissions, version: role.version };
    },
  }),
  defineRoute({
    method: 'put',
    path: '/api/v1/org/roles/{id}/permissions',
    operationId: 'setRolePermissions',
    tag: 'Roles',
    summary: 'Replace what a custom role may do',
    audience: 'org-admin',
    cerbos: { resource: 'role', action: 'update' },
    body: { schema: wholeList, example: { permissions } },
    answer: permissionsAnswer,
    errors: changeErrors,
    handle: async (call) => {
      const role = await update(call, call.body);
      return { permissions: role.permissions, version: role.version };
    },
  }),
];
