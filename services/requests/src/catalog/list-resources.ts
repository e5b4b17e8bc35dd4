import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { mayLook } from './may-look.ts';
import { Resource } from './resource.ts';

const definition: ListDefinition<Resource> = {
  entity: Resource,
  fields: {
    id: { type: 'uuid' },
    key: { type: 'text' },
    name: { type: 'text' },
    resourceTypeId: { type: 'uuid', path: 'type.id' },
    owningTeamId: { type: 'uuid' },
    ownerId: { type: 'uuid' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
  populate: ['type'],
};

/** A page of the catalog. Errors: INVALID_FILTER, INVALID_CURSOR, PERMISSION_DENIED. */
export const listResources = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<Resource>> => {
  const { em, tenantId } = ctx;
  await mayLook(ctx, 'resource', 'list');
  return listPage(em, definition, query, { tenantId, deletedAt: null });
};
