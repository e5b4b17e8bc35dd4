import { defineEntity, p } from '@mikro-orm/postgresql';
import type { RealmRole } from './realm-role.ts';

const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'account',
  properties: {
    id: p.uuid().primary(),
    email: p.string(),
    passwordHash: p.text().hidden(),
    realmRoles: p.array<RealmRole>(),
    firstName: p.string(),
    lastName: p.string(),
    active: p.boolean(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A person as the local identity provider knows them, whatever their tenants; the id is the subject of their tokens. */
export class Account extends AccountSchema.class {
  /** Takes other names. */
  rename({ firstName, lastName }: { firstName: string; lastName: string }, now: Date): void {
    this.firstName = firstName;
    this.lastName = lastName;
    this.version += 1;
    this.updatedAt = now;
  }
}
AccountSchema.setClass(Account);
