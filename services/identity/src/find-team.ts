import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { findById } from './find-by-id.ts';
import { Team } from './team.ts';
import { TeamMember } from './team-member.ts';

/** A team of the transaction's tenant. Errors: TEAM_NOT_FOUND. */
export const findTeam = findById(Team, 'TEAM_NOT_FOUND');

/** The same, locked: nobody else may change it or its members. */
export const lockTeam = findById(Team, 'TEAM_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);

/** The members of a team with their users, by e-mail address. */
export const membersOf = (em: EntityManager, { id, tenantId }: Team): Promise<TeamMember[]> =>
  em.find(TeamMember, { tenantId, team: id }, { populate: ['user'], orderBy: { user: { email: 'asc' } } });
