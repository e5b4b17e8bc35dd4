import { emit } from '@accessops/events';
import { TeamDeletedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { lockTeam } from './find-team.ts';
import { snapshotOf } from './snapshot.ts';
import { TeamMember } from './team-member.ts';
import { User } from './user.ts';

/** Deletes a team and tells of its former members as they are without it. Errors: TEAM_NOT_FOUND, PRECONDITION_FAILED. */
export const deleteTeam = async (ctx: Ctx, id: string): Promise<void> => {
  const { em, tenantId } = ctx;
  const team = await lockTeam(em, id);
  ctx.expectVersion(team.version);
  const memberships = await em.find(TeamMember, { tenantId, team: team.id });
  const ids = memberships.map(({ user }) => user.id);
  const users = await em.find(User, { tenantId, id: { $in: ids } }, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE });
  const { name, description } = team;

  for (const membership of memberships) em.remove(membership);
  em.remove(team);
  for (const user of users) user.touch(ctx.now());
  await em.flush();

  const snapshots = [];
  for (const user of users) snapshots.push(await snapshotOf(em, user));
  emit(ctx, TeamDeletedSchema, { teamId: team.id, users: snapshots }, team.id, {
    action: 'TEAM_DELETED',
    entityType: 'TEAM',
    entityId: team.id,
    changes: { name: { before: name }, description: { before: description }, members: { before: ids } },
  });
};
