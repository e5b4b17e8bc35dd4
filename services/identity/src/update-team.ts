import { onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { TeamChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateTeamRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from './changes.ts';
import { lockTeam } from './find-team.ts';
import type { Team } from './team.ts';
import { parseText } from './text.ts';

/** Changes name or description. Errors: TEAM_NOT_FOUND, INVALID_FIELDS, TEAM_NAME_TAKEN, PRECONDITION_FAILED. */
export const updateTeam = async (ctx: Ctx, { id, name, description }: UpdateTeamRequest): Promise<Team> => {
  const team = await lockTeam(ctx.em, id);
  ctx.expectVersion(team.version);
  const after = {
    name: name === undefined ? team.name : parseName('/name', name),
    description: description === undefined ? team.description : parseText('/description', description),
  };
  const changes = changesBetween({ name: team.name, description: team.description }, after);
  if (Object.keys(changes).length === 0) return team;

  team.describe(after, ctx.now());
  await ctx.em.flush().catch(onUnique({ team_name: 'TEAM_NAME_TAKEN' }));
  emit(ctx, TeamChangedSchema, { teamId: team.id, name: team.name, version: team.version }, team.id, {
    action: 'TEAM_UPDATED',
    entityType: 'TEAM',
    entityId: team.id,
    changes,
  });
  return team;
};
