import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Team } from './team.ts';
import { TeamMember } from './team-member.ts';
import { isId } from './text.ts';

/** A team of the transaction's tenant. Errors: TEAM_NOT_FOUND. */
export const findTeam = async (em: EntityManager, id: string): Promise<Team> => {
  const team = isId(id) ? await em.findOne(Team, { id }) : null;
  if (!team) throw new AppError('TEAM_NOT_FOUND');
  return team;
};

/** The same, locked: shared keeps it from being deleted, otherwise nobody else may change it or its members. */
export const lockTeam = async (em: EntityManager, id: string, { shared = false } = {}): Promise<Team> => {
  const lockMode = shared ? LockMode.PESSIMISTIC_READ : LockMode.PESSIMISTIC_WRITE;
  const team = isId(id) ? await em.findOne(Team, { id }, { lockMode }) : null;
  if (!team) throw new AppError('TEAM_NOT_FOUND');
  return team;
};

/** The members of a team with their users, by e-mail address. */
export const membersOf = (em: EntityManager, { id, tenantId }: Team): Promise<TeamMember[]> =>
  em.find(TeamMember, { tenantId, team: id }, { populate: ['user'], orderBy: { user: { email: 'asc' } } });
