import { invalidField } from '@accessops/errors';
import { defineEntity, p } from '@mikro-orm/postgresql';
import { Team } from './team.ts';
import { User } from './user.ts';

export const teamRoles = ['lead', 'member'] as const;

export type TeamRole = (typeof teamRoles)[number];

const TeamMemberSchema = defineEntity({
  name: 'TeamMember',
  tableName: 'team_member',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    team: () => p.manyToOne(Team),
    user: () => p.manyToOne(User),
    role: p.string().$type<TeamRole>(),
    createdAt: p.datetime(),
  },
});

/** That a user is in a team, and as what. */
export class TeamMember extends TeamMemberSchema.class {}
TeamMemberSchema.setClass(TeamMember);

/** A role in a team. Errors: INVALID_FIELDS at `/role`. */
export const parseTeamRole = (role: string): TeamRole => {
  const known = teamRoles.find((name) => name === role);
  if (!known) throw invalidField('/role', 'must be lead or member');
  return known;
};
