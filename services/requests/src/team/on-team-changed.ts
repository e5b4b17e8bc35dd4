import { on } from '@accessops/events';
import { TeamChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';

/** Keeps what is known of a team; one that was removed does not come back. */
export const onTeamChanged = on(TeamChangedSchema, async ({ em, tenantId }, { teamId, version }) => {
  await em.execute(
    `insert into team (id, tenant_id, version, removed) values (?, ?, ?, false)
     on conflict (id) do update set version = excluded.version where team.version < excluded.version`,
    [teamId, tenantId, version],
  );
});
