import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { mayLook } from './may-look.ts';
import { ResourceType } from './resource-type.ts';

const definition: ListDefinition<ResourceType> = {
  entity: ResourceType,
  fields: {
    id: { type: 'uuid' },
    key: { type: 'text' },
    name: { type: 'text' },
    connector: { type: 'text' },
    sensitivity: { type: 'text' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** A page of the kinds of resources. Errors: INVALID_FILTER, INVALID_CURSOR, PERMISSION_DENIED. */
export const listResourceTypes = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<ResourceType>> => {
  const { em, tenantId } = ctx;
  await mayLook(ctx, 'resource_type', 'list');
  return listPage(em, definition, query, { tenantId, deletedAt: null });
};
