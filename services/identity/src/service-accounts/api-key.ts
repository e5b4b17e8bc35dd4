import { defineEntity, p } from '@mikro-orm/postgresql';

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    serviceAccountId: p.uuid(),
    hash: p.blob().hidden(),
    /** Who may know it: who made it, and the owners that the account has had since. */
    holderIds: p.array<string>(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
  },
});

/** A key of a service account. The key itself is not kept, only its hash. */
export class ApiKey extends ApiKeySchema.class {
  /** Lives no longer than this. */
  endBy(time: Date): void {
    if (this.expiresAt > time) this.expiresAt = time;
  }
}
ApiKeySchema.setClass(ApiKey);
