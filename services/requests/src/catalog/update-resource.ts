import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { changed } from '../changes.ts';
import { requireTeam } from '../team/require-team.ts';
import { findResource } from './find-resource.ts';
import { noTeam, type Resource } from './resource.ts';

export interface ResourceChange {
  name?: string;
  /** Empty: no team owns it any more. */
  owningTeamId?: string;
}

/** Changes name or owning team. Errors: RESOURCE_NOT_FOUND, INVALID_FIELDS, VERSION_CONFLICT, PRECONDITION_FAILED, PERMISSION_DENIED. */
export const updateResource = async (ctx: Ctx, id: string, { name, owningTeamId }: ResourceChange): Promise<Resource> => {
  await ctx.authorize('resource', 'update', { tenantId: ctx.tenantId });
  const resource = await findResource(ctx, id);
  ctx.expectVersion(resource.version);
  if (owningTeamId) await requireTeam(ctx, owningTeamId);
  const fields = {
    ...(name !== undefined && { name: parseName('/name', name, 200) }),
    ...(owningTeamId !== undefined && { owningTeamId: owningTeamId || noTeam }),
  };
  const changes = changed(resource, fields);
  if (Object.keys(changes).length === 0) return resource;
  ctx.em.assign(resource, { ...fields, updatedAt: ctx.now() });
  emit(ctx, ResourceChangedSchema, { resourceId: id }, id, {
    action: 'RESOURCE_UPDATED',
    entityType: 'RESOURCE',
    entityId: id,
    changes,
  });
  await ctx.em.flush();
  return resource;
};
