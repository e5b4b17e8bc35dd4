import { emit, on } from '@accessops/events';
import { ResourceChangedSchema, TeamDeletedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { LockMode } from '@mikro-orm/postgresql';
import { lapseRequests } from '../access-request/lapse-requests.ts';
import { noTeam, Resource } from '../catalog/resource.ts';
import { changed } from '../changes.ts';

/** Forgets a team; what it owned is owned by nobody, so that plans for it name people who exist, and what waits for it is LAPSED. */
export const onTeamDeleted = on(TeamDeletedSchema, async (ctx, { teamId }) => {
  const { em, tenantId } = ctx;
  // First the team: whoever is giving it a resource has finished then, or will not find it.
  await em.execute(
    'insert into team (id, tenant_id, version, removed) values (?, ?, 0, true) on conflict (id) do update set removed = true',
    [teamId, tenantId],
  );
  // Whoever files a request holds the resource: after these locks there is none that is not seen.
  const owned = { tenantId, owningTeamId: teamId, deletedAt: null };
  const resources = await em.find(Resource, owned, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE });
  for (const resource of resources) {
    emit(ctx, ResourceChangedSchema, { resourceId: resource.id }, resource.id, {
      action: 'RESOURCE_UPDATED',
      entityType: 'RESOURCE',
      entityId: resource.id,
      changes: changed(resource, { owningTeamId: noTeam }),
    });
    resource.owningTeamId = noTeam;
    resource.updatedAt = ctx.now();
  }
  await lapseRequests(ctx, 'team', teamId);
});
