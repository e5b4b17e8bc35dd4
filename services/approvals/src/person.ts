import { defineEntity, p } from '@mikro-orm/postgresql';

const PersonSchema = defineEntity({
  name: 'Person',
  tableName: 'person',
  properties: {
    tenantId: p.uuid().primary(),
    id: p.uuid().primary(),
    email: p.text(),
    active: p.boolean(),
    orgRoles: p.array(),
    teamIds: p.array(),
    version: p.integer(),
  },
});

/** What is known here of a user of the tenant: a projection of identity's snapshots, the newest of which counts. */
export class Person extends PersonSchema.class {}
PersonSchema.setClass(Person);
