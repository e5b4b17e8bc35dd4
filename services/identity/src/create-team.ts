import { newId, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { TeamChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { CreateTeamRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { created } from './changes.ts';
import { Team } from './team.ts';
import { parseText } from './text.ts';

/** Makes a team without members. Errors: INVALID_FIELDS, TEAM_NAME_TAKEN. */
export const createTeam = async (ctx: Ctx, request: CreateTeamRequest): Promise<Team> => {
  const name = parseName('/name', request.name);
  const description = parseText('/description', request.description);
  const now = ctx.now();
  const team = ctx.em.create(Team, {
    id: newId(),
    tenantId: ctx.tenantId,
    name,
    description,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await ctx.em.flush().catch(onUnique({ team_name: 'TEAM_NAME_TAKEN' }));
  emit(ctx, TeamChangedSchema, { teamId: team.id, name, version: team.version }, team.id, {
    action: 'TEAM_CREATED',
    entityType: 'TEAM',
    entityId: team.id,
    changes: created({ name, description }),
  });
  return team;
};
