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
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A machine of one tenant that calls the API with keys of its own; it may do what its scopes list, and never decides. */
export class ServiceAccount extends ServiceAccountSchema.class {
  /** Takes another name, description or scopes. */
  describe({ name, description, scopes }: { name: string; description: string; scopes: string[] }, now: Date): void {
    this.name = name;
    this.description = description;
    this.scopes = scopes;
    this.version += 1;
    this.updatedAt = now;
  }
}
ServiceAccountSchema.setClass(ServiceAccount);
