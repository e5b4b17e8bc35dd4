import type { Role } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { permissionJson, permissionSchema } from './permission.ts';
import { orNull, timeOf } from './proto.ts';

export const roleSchema = z
  .object({
    id: id('The role.'),
    name: z.string(),
    description: z.string().nullable(),
    system: z.boolean().openapi({ description: 'Comes with the platform, cannot be changed, and is given by `orgRoles` of a membership.' }),
    permissions: z.array(permissionSchema),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Role');

type RoleJson = z.infer<typeof roleSchema>;

export const roleExample: RoleJson = {
  id: exampleId,
  name: 'Catalogue keeper',
  description: 'Looks after resources',
  system: false,
  permissions: [
    { resource: 'resource', action: 'create' },
    { resource: 'resource', action: 'list' },
  ],
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

/** A role as the API shows it; what a role of the platform may do is found out by `ofSystemRole`. */
export const roleJson = async (role: Role, ofSystemRole: (name: string) => Promise<string[]>): Promise<RoleJson> => ({
  id: role.id,
  name: role.name,
  description: orNull(role.description),
  system: role.system,
  permissions: (role.system ? await ofSystemRole(role.name) : role.permissions).map(permissionJson),
  version: role.version,
  createdAt: timeOf(role.createdAt),
  updatedAt: timeOf(role.updatedAt),
});
