import { z } from '@hono/zod-openapi';

const part = z
  .string()
  .max(63)
  .regex(/^[a-z_]+$/, 'must be lower case letters and underscores');

export const permissionSchema = z.strictObject({ resource: part, action: part }).openapi('Permission');

export type PermissionJson = z.infer<typeof permissionSchema>;

/** What a body lists. */
export const permissionList = z.array(permissionSchema).max(200);

/** A permission out of its text, `resource:action`. */
export const permissionJson = (permission: string): PermissionJson => {
  const [resource = '', action = ''] = permission.split(':');
  return { resource, action };
};

/** As text, for the services. */
export const permissionText = ({ resource, action }: PermissionJson): string => `${resource}:${action}`;
