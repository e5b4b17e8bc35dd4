import type { ListDefinition } from '@accessops/db';
import { FeatureFlag } from './feature-flags/feature-flag.ts';
import { Invitation } from './invitations/invitation.ts';
import { Role } from './roles/role.ts';
import { ApiKey } from './service-accounts/api-key.ts';
import { ServiceAccount } from './service-accounts/service-account.ts';
import { Team } from './team.ts';
import { TeamMember } from './team-member.ts';
import { Tenant } from './tenant.ts';
import { User } from './user.ts';

/** Users of a tenant. */
export const users: ListDefinition<User> = {
  entity: User,
  fields: {
    id: { type: 'uuid' },
    email: { type: 'text' },
    firstName: { type: 'text' },
    lastName: { type: 'text' },
    active: { type: 'boolean' },
    emailVerified: { type: 'boolean', path: 'verified' },
    orgRoles: { type: 'text-list' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** The same people, as holders of org roles. */
export const memberships: ListDefinition<User> = {
  entity: User,
  fields: {
    userId: { type: 'uuid', path: 'id' },
    email: { type: 'text' },
    orgRoles: { type: 'text-list' },
    active: { type: 'boolean' },
  },
  key: 'userId',
  defaultSort: 'email',
};

/** Teams of a tenant. */
export const teams: ListDefinition<Team> = {
  entity: Team,
  fields: { id: { type: 'uuid' }, name: { type: 'text' }, createdAt: { type: 'time' } },
  defaultSort: 'name',
};

/** The teams of one user. */
export const teamsOfUser: ListDefinition<TeamMember> = {
  entity: TeamMember,
  fields: {
    id: { type: 'uuid', path: 'team.id' },
    name: { type: 'text', path: 'team.name' },
    role: { type: 'text' },
  },
  defaultSort: 'name',
  populate: ['team'],
};

/** The users of one team. */
export const teamMembers: ListDefinition<TeamMember> = {
  entity: TeamMember,
  fields: {
    userId: { type: 'uuid', path: 'user.id' },
    email: { type: 'text', path: 'user.email' },
    firstName: { type: 'text', path: 'user.firstName' },
    lastName: { type: 'text', path: 'user.lastName' },
    role: { type: 'text' },
  },
  key: 'userId',
  defaultSort: 'email',
  populate: ['user'],
};

/** Invitations into a tenant. */
export const invitations: ListDefinition<Invitation> = {
  entity: Invitation,
  fields: {
    id: { type: 'uuid' },
    email: { type: 'text' },
    status: { type: 'text' },
    invitedBy: { type: 'uuid' },
    createdAt: { type: 'time' },
    expiresAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** Feature flags of a tenant. */
export const featureFlags: ListDefinition<FeatureFlag> = {
  entity: FeatureFlag,
  fields: {
    id: { type: 'uuid' },
    name: { type: 'text' },
    enabled: { type: 'boolean' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: 'name',
};

/** All tenants. */
export const tenants: ListDefinition<Tenant> = {
  entity: Tenant,
  fields: {
    id: { type: 'uuid' },
    slug: { type: 'text' },
    name: { type: 'text' },
    status: { type: 'text' },
    createdAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** Roles of a tenant. */
export const roles: ListDefinition<Role> = {
  entity: Role,
  fields: {
    id: { type: 'uuid' },
    name: { type: 'text' },
    system: { type: 'boolean' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: 'name',
};

/** Service accounts of a tenant. */
export const serviceAccounts: ListDefinition<ServiceAccount> = {
  entity: ServiceAccount,
  fields: {
    id: { type: 'uuid' },
    name: { type: 'text' },
    ownerId: { type: 'uuid' },
    createdBy: { type: 'uuid' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: 'name',
};

/** The keys of one service account. */
export const apiKeys: ListDefinition<ApiKey> = {
  entity: ApiKey,
  fields: { id: { type: 'uuid' }, createdAt: { type: 'time' }, expiresAt: { type: 'time' }, lastUsedAt: { type: 'time' } },
  defaultSort: '-createdAt',
};
