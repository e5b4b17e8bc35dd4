import type { Team, TeamMember, TeamMembership } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, teamRole, time } from '../fields.ts';
import { orNull, timeOf } from './proto.ts';

export const teamMemberSchema = z
  .object({
    userId: id('The user.'),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    role: teamRole,
  })
  .openapi('TeamMember');

const listedFields = {
  id: id('The team.'),
  name: z.string(),
  description: z.string().nullable(),
  version: z.int(),
  createdAt: time,
};

export const listedTeamSchema = z.object(listedFields).openapi('ListedTeam');

export const teamSchema = z.object({ ...listedFields, members: z.array(teamMemberSchema) }).openapi('Team');

export const ownTeamSchema = z.object({ id: id('The team.'), name: z.string(), role: teamRole }).openapi('OwnTeam');

type TeamMemberJson = z.infer<typeof teamMemberSchema>;
type ListedTeamJson = z.infer<typeof listedTeamSchema>;
type TeamJson = z.infer<typeof teamSchema>;
export type OwnTeamJson = z.infer<typeof ownTeamSchema>;

export const teamMemberExample: TeamMemberJson = {
  userId: '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c31',
  email: 'requester@acme.test',
  firstName: 'Rosa',
  lastName: 'Requester',
  role: 'lead',
};

export const listedTeamExample: ListedTeamJson = {
  id: exampleId,
  name: 'Customer data',
  description: 'Owns what customers have told us',
  version: 1,
  createdAt: exampleTime,
};

export const teamExample: TeamJson = { ...listedTeamExample, members: [teamMemberExample] };

export const ownTeamExample: OwnTeamJson = { id: exampleId, name: 'Customer data', role: 'lead' };

const roleOf = (role: string) => (role === 'lead' ? 'lead' : 'member');

/** Somebody in a team. */
export const teamMemberJson = ({ userId, email, firstName, lastName, role }: TeamMember): TeamMemberJson => ({
  userId,
  email,
  firstName,
  lastName,
  role: roleOf(role),
});

/** A team as lists show it: without its members. */
export const listedTeamJson = ({ id, name, description, version, createdAt }: Team): ListedTeamJson => ({
  id,
  name,
  description: orNull(description),
  version,
  createdAt: timeOf(createdAt),
});

/** A team with its members. */
export const teamJson = (team: Team): TeamJson => ({ ...listedTeamJson(team), members: team.members.map(teamMemberJson) });

/** A team of the caller's. */
export const ownTeamJson = ({ id, name, role }: TeamMembership): OwnTeamJson => ({ id, name, role: roleOf(role) });
