import { defineEntity, p } from '@mikro-orm/postgresql';

const TeamSchema = defineEntity({
  name: 'Team',
  tableName: 'team',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    /** Only grows; what is told of an older one is ignored. */
    version: p.integer(),
    removed: p.boolean(),
  },
});

/** A team as far as resources need to know of it; told by identity. */
export class Team extends TeamSchema.class {}
TeamSchema.setClass(Team);
