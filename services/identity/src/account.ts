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
    /** Whether somebody has shown that they read what is sent to the address. */
    verified: p.boolean().default(false),
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
    this.touch(now);
  }

  /** Its person reads what is sent to the address. */
  verify(now: Date): void {
    this.verified = true;
    this.touch(now);
  }

  /** Takes another address, which its person has confirmed. */
  moveTo(email: string, now: Date): void {
    this.email = email;
    this.verify(now);
  }

  private touch(now: Date): void {
    this.version += 1;
    this.updatedAt = now;
  }
}
AccountSchema.setClass(Account);
