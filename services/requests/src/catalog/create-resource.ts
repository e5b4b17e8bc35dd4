import { newId, onUnique } from '@accessops/db';
import { invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { created } from '../changes.ts';
import { parseFields } from '../parse-fields.ts';
import { requireTeam } from '../team/require-team.ts';
import { isId, parseSlug } from '../text.ts';
import { requireRoomForResource } from './require-room.ts';
import { nobody, noTeam, Resource } from './resource.ts';
import { ResourceType } from './resource-type.ts';

export interface NewResource {
  key: string;
  name: string;
  resourceTypeId: string;
  /** Empty: no team owns it. */
  owningTeamId: string;
}

/** Finds the type and holds it: it cannot be deleted before this transaction ends. */
const holdType = async ({ em }: Ctx, id: string): Promise<ResourceType> => {
  const type = isId(id) && (await em.findOne(ResourceType, { id, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_READ }));
  if (!type) throw invalidField('/resourceTypeId', 'There is no such resource type');
  return type;
};

/** Adds a resource to the catalog. Errors: INVALID_FIELDS (also for a type or team that is not there), RESOURCE_KEY_TAKEN, LICENSE_LIMIT_REACHED, PERMISSION_DENIED. */
export const createResource = async (ctx: Ctx, input: NewResource): Promise<Resource> => {
  await ctx.authorize('resource', 'create', { tenantId: ctx.tenantId });
  const fields = parseFields({ key: () => parseSlug('/key', input.key), name: () => parseName('/name', input.name, 200) });
  const type = await holdType(ctx, input.resourceTypeId);
  if (input.owningTeamId) await requireTeam(ctx, input.owningTeamId);
  const owningTeamId = input.owningTeamId || noTeam;
  await requireRoomForResource(ctx);
  const now = ctx.now();
  const resource = ctx.em.create(Resource, {
    ...fields,
    id: newId(),
    tenantId: ctx.tenantId,
    type,
    owningTeamId,
    ownerId: isId(ctx.actor.id) ? ctx.actor.id : nobody,
    createdAt: now,
    updatedAt: now,
  });
  await ctx.em.flush().catch(onUnique({ resource_key: 'RESOURCE_KEY_TAKEN' }));
  emit(ctx, ResourceChangedSchema, { resourceId: resource.id }, resource.id, {
    action: 'RESOURCE_CREATED',
    entityType: 'RESOURCE',
    entityId: resource.id,
    changes: created({ ...fields, resourceTypeId: type.id, owningTeamId }),
  });
  return resource;
};
