import { defineEntity, p } from '@mikro-orm/postgresql';

const ServiceAccountSchema = defineEntity({
  name: 'ServiceAccount',
  tableName: 'service_account',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.string(),
    description: p.text(),
    scopes: p.array<string>(),
    /** Who answers for it. */
    ownerId: p.uuid(),
    createdBy: p.uuid(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A machine of one tenant that calls the API with keys of its own; it may do what its scopes list, and never decides. */
export class ServiceAccount extends ServiceAccountSchema.class {
  /** Takes another name, description, scopes or owner. */
  describe(to: Pick<ServiceAccount, 'name' | 'description' | 'scopes' | 'ownerId'>, now: Date): void {
    this.name = to.name;
    this.description = to.description;
    this.scopes = to.scopes;
    this.ownerId = to.ownerId;
    this.touch(now);
  }

  /** Counts up the version: each snapshot that is told must be newer than the one before, also when only keys changed. */
  touch(now: Date): void {
    this.version += 1;
    this.updatedAt = now;
  }
}
ServiceAccountSchema.setClass(ServiceAccount);
