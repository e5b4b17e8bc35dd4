import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { TeamMembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { AddTeamMemberRequest, RemoveTeamMemberRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { lockTeam } from './find-team.ts';
import { lockUser } from './find-user.ts';
import { snapshotOf } from './snapshot.ts';
import type { Team } from './team.ts';
import { parseTeamRole, TeamMember, type TeamRole } from './team-member.ts';
import type { User } from './user.ts';

interface Roles {
  before: TeamRole | null;
  after: TeamRole | null;
}

const actionOf = ({ before, after }: Roles): string => {
  if (before === null) return 'TEAM_MEMBER_ADDED';
  return after === null ? 'TEAM_MEMBER_REMOVED' : 'TEAM_MEMBER_UPDATED';
};

const tell = async (ctx: Ctx, team: Team, user: User, roles: Roles): Promise<void> => {
  user.touch(ctx.now());
  team.touch(ctx.now());
  await ctx.em.flush();
  emit(ctx, TeamMembershipChangedSchema, { teamId: team.id, user: await snapshotOf(ctx.em, user) }, user.id, {
    action: actionOf(roles),
    entityType: 'TEAM',
    entityId: team.id,
    changes: { userId: { before: roles.before && user.id, after: roles.after && user.id }, role: roles },
  });
};

/** Adds a user to a team, or changes the role there. Errors: INVALID_FIELDS, TEAM_NOT_FOUND, USER_NOT_FOUND. */
export const addTeamMember = async (ctx: Ctx, { teamId, userId, role }: AddTeamMemberRequest): Promise<Team> => {
  const { em, tenantId } = ctx;
  const after = parseTeamRole(role);
  const team = await lockTeam(em, teamId);
  const user = await lockUser(em, userId);
  const membership = await em.findOne(TeamMember, { tenantId, team: team.id, user: user.id });
  if (membership?.role === after) return team;

  const before = membership?.role ?? null;
  if (membership) membership.role = after;
  else em.create(TeamMember, { id: newId(), tenantId, team, user, role: after, createdAt: ctx.now() });
  await tell(ctx, team, user, { before, after });
  return team;
};

/** Takes a user out of a team. Errors: TEAM_NOT_FOUND, NOT_A_TEAM_MEMBER. */
export const removeTeamMember = async (ctx: Ctx, { teamId, userId }: RemoveTeamMemberRequest): Promise<void> => {
  const { em, tenantId } = ctx;
  const team = await lockTeam(em, teamId);
  const user = await lockUser(em, userId).catch((error: unknown) => {
    throw error instanceof AppError ? new AppError('NOT_A_TEAM_MEMBER') : error;
  });
  const membership = await em.findOne(TeamMember, { tenantId, team: team.id, user: user.id });
  if (!membership) throw new AppError('NOT_A_TEAM_MEMBER');

  const before = membership.role;
  em.remove(membership);
  await tell(ctx, team, user, { before, after: null });
};
