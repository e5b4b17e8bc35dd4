import { defineEntity, p } from '@mikro-orm/postgresql';

const FeatureFlagSchema = defineEntity({
  name: 'FeatureFlag',
  tableName: 'feature_flag',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.string(),
    description: p.text(),
    enabled: p.boolean(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A switch of one tenant. */
export class FeatureFlag extends FeatureFlagSchema.class {
  /** Takes another name, description or position. */
  describe({ name, description, enabled }: { name: string; description: string; enabled: boolean }, now: Date): void {
    this.name = name;
    this.description = description;
    this.enabled = enabled;
    this.version += 1;
    this.updatedAt = now;
  }
}
FeatureFlagSchema.setClass(FeatureFlag);
