import { defineEntity, p } from '@mikro-orm/postgresql';
import { ResourceType } from './resource-type.ts';

/** Stands where no team owns a resource, so that lists can be sorted by it. */
export const noTeam = '00000000-0000-0000-0000-000000000000';

/** Stands where a resource was made by a service: what a new tenant begins with. */
export const nobody = noTeam;

const ResourceSchema = defineEntity({
  name: 'Resource',
  tableName: 'resource',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    key: p.text(),
    name: p.text(),
    type: () => p.manyToOne(ResourceType),
    /** `noTeam` when there is none. */
    owningTeamId: p.uuid(),
    /** Who created it. */
    ownerId: p.uuid(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    /** Set when it was taken out of the catalog; its requests stay readable. */
    deletedAt: p.datetime().nullable(),
  },
});

/** Something one can ask access to. */
export class Resource extends ResourceSchema.class {}
ResourceSchema.setClass(Resource);
