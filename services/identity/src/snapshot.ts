import type { UserSnapshotSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Account } from './account.ts';
import { TeamMember } from './team-member.ts';
import type { User } from './user.ts';

/** A user as other services keep them, active only with an account that is; call after everything was flushed, for `version` decides which snapshot is the newest. */
export const snapshotOf = async (em: EntityManager, user: User): Promise<MessageInitShape<typeof UserSnapshotSchema>> => {
  const { tenantId } = user;
  const memberships = await em.find(TeamMember, { tenantId, user: user.id }, { orderBy: { team: { id: 'asc' } } });
  const { id, email, active, orgRoles, version } = user;
  const disabled = await em.count(Account, { id, active: false });
  return { id, email, active: active && disabled === 0, orgRoles, teamIds: memberships.map(({ team }) => team.id), version };
};
