import { defineEntity, p } from '@mikro-orm/postgresql';

const TeamSchema = defineEntity({
  name: 'Team',
  tableName: 'team',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.string(),
    description: p.text(),
    version: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** A group of users of one tenant. */
export class Team extends TeamSchema.class {
  /** Takes another name or description. */
  describe({ name, description }: { name: string; description: string }, now: Date): void {
    this.name = name;
    this.description = description;
    this.touch(now);
  }

  /** Counts up the version: members belong to what is shown of a team. */
  touch(now: Date): void {
    this.version += 1;
    this.updatedAt = now;
  }
}
TeamSchema.setClass(Team);
