import { defineEntity, p } from '@mikro-orm/postgresql';
import type { OrgRole } from './org-role.ts';

// The table's key is (tenant_id, id): a person has one row in each tenant. Inside a tenant's transaction `id` alone is unique;
// nothing loads users by this entity across tenants.
const UserSchema = defineEntity({
  name: 'User',
  tableName: 'app_user',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    email: p.string(),
    firstName: p.string(),
    lastName: p.string(),
    active: p.boolean(),
    /** As in the account. */
    verified: p.boolean().default(false),
    orgRoles: p.array<OrgRole>(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A person within one tenant; `id` is the subject of their tokens. Change one only while its row is locked. */
export class User extends UserSchema.class {
  /** Whether the tenant can count on this person as an admin. */
  isActiveAdmin(): boolean {
    return this.active && this.orgRoles.includes('admin');
  }

  /** Takes other names, or another state. */
  describe({ firstName, lastName, active }: { firstName: string; lastName: string; active: boolean }, now: Date): void {
    this.firstName = firstName;
    this.lastName = lastName;
    this.active = active;
    this.touch(now);
  }

  /** Takes other roles. */
  hold(roles: OrgRole[], now: Date): void {
    this.orgRoles = roles;
    this.touch(now);
  }

  /** Counts up the version: each snapshot of a user that is told must be newer than the one before, also when only teams changed. */
  touch(now: Date): void {
    this.version += 1;
    this.updatedAt = now;
  }
}
UserSchema.setClass(User);
