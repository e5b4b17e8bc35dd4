import { defineEntity, p } from '@mikro-orm/postgresql';

export type TenantStatus = 'ACTIVE' | 'SUSPENDED';

const TenantSchema = defineEntity({
  name: 'Tenant',
  tableName: 'tenant',
  properties: {
    id: p.uuid().primary(),
    slug: p.string(),
    name: p.string(),
    domain: p.string(),
    status: p.string().$type<TenantStatus>(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** An organisation. */
export class Tenant extends TenantSchema.class {
  /** Takes another name or domain. */
  describe({ name, domain }: { name: string; domain: string }, now: Date): void {
    this.name = name;
    this.domain = domain;
    this.version += 1;
    this.updatedAt = now;
  }
}
TenantSchema.setClass(Tenant);
