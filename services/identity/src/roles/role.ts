import { AppError } from '@accessops/errors';
import { defineEntity, p } from '@mikro-orm/postgresql';

const RoleSchema = defineEntity({
  name: 'Role',
  tableName: 'role',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.string(),
    description: p.text(),
    system: p.boolean(),
    permissions: p.array<string>(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A role of a tenant: one of its own with the permissions it lists, or one of the platform, which policies know by name. */
export class Role extends RoleSchema.class {
  /** Errors: SYSTEM_ROLE. */
  assertCustom(): void {
    if (this.system) throw new AppError('SYSTEM_ROLE');
  }

  /** Takes another name, description or list. */
  describe({ name, description, permissions }: { name: string; description: string; permissions: string[] }, now: Date): void {
    this.name = name;
    this.description = description;
    this.permissions = permissions;
    this.version += 1;
    this.updatedAt = now;
  }
}
RoleSchema.setClass(Role);
