import { apiKeyPrefix } from '@accessops/authn';
import type {
  ApiKeySchema,
  FeatureFlagSchema,
  InvitationSchema,
  MembershipSchema,
  RoleSchema,
  ServiceAccountSchema,
  TeamMemberSchema,
  TeamMembershipSchema,
  TeamSchema,
  TenantSchema,
  UserSchema,
} from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Account } from './account.ts';
import type { FeatureFlag } from './feature-flags/feature-flag.ts';
import type { Invitation } from './invitations/invitation.ts';
import type { AssignedRole } from './roles/find-role.ts';
import type { Role } from './roles/role.ts';
import type { ApiKey } from './service-accounts/api-key.ts';
import type { ServiceAccount } from './service-accounts/service-account.ts';
import type { Team } from './team.ts';
import type { TeamMember } from './team-member.ts';
import type { Tenant } from './tenant.ts';
import type { User } from './user.ts';

/** A tenant as the contract shows it. */
export const tenantToProto = (
  tenant: Pick<Tenant, 'id' | 'slug' | 'name' | 'domain' | 'status' | 'version' | 'createdAt'>,
): MessageInitShape<typeof TenantSchema> => ({
  id: tenant.id,
  slug: tenant.slug,
  name: tenant.name,
  domain: tenant.domain,
  status: tenant.status,
  version: tenant.version,
  createdAt: timestampFromDate(tenant.createdAt),
});

/** A user as the contract shows it. */
export const userToProto = (user: User): MessageInitShape<typeof UserSchema> => ({
  id: user.id,
  email: user.email,
  firstName: user.firstName,
  lastName: user.lastName,
  active: user.active,
  emailVerified: user.verified,
  orgRoles: user.orgRoles,
  version: user.version,
  createdAt: timestampFromDate(user.createdAt),
  updatedAt: timestampFromDate(user.updatedAt),
});

/** Somebody of no tenant, in the shape of a user. */
export const accountToProto = (account: Account): MessageInitShape<typeof UserSchema> => ({
  id: account.id,
  email: account.email,
  firstName: account.firstName,
  lastName: account.lastName,
  active: account.active,
  emailVerified: account.verified,
  version: account.version,
  createdAt: timestampFromDate(account.createdAt),
  updatedAt: timestampFromDate(account.updatedAt),
});

/** An invitation as the contract shows it. */
export const invitationToProto = (invitation: Invitation): MessageInitShape<typeof InvitationSchema> => ({
  id: invitation.id,
  email: invitation.email,
  orgRoles: invitation.orgRoles,
  status: invitation.status,
  invitedBy: invitation.invitedBy,
  version: invitation.version,
  createdAt: timestampFromDate(invitation.createdAt),
  expiresAt: timestampFromDate(invitation.expiresAt),
});

/** A user's roles as the contract shows them. */
export const membershipToProto = (
  { id, email, orgRoles, active, version }: User,
  roles: AssignedRole[],
): MessageInitShape<typeof MembershipSchema> => ({
  userId: id,
  email,
  orgRoles,
  active,
  version,
  roles: roles.filter(({ userId }) => userId === id).map((role) => ({ id: role.id, name: role.name })),
});

/** A role as the contract shows it. */
export const roleToProto = (role: Role): MessageInitShape<typeof RoleSchema> => ({
  id: role.id,
  name: role.name,
  description: role.description,
  system: role.system,
  permissions: role.permissions,
  version: role.version,
  createdAt: timestampFromDate(role.createdAt),
  updatedAt: timestampFromDate(role.updatedAt),
});

/** A service account as the contract shows it. */
export const serviceAccountToProto = (account: ServiceAccount): MessageInitShape<typeof ServiceAccountSchema> => ({
  id: account.id,
  name: account.name,
  description: account.description,
  scopes: account.scopes,
  ownerId: account.ownerId,
  createdBy: account.createdBy,
  version: account.version,
  createdAt: timestampFromDate(account.createdAt),
  updatedAt: timestampFromDate(account.updatedAt),
});

/** An API key as the contract shows it; `key` is the secret, when it is new. */
export const apiKeyToProto = (row: ApiKey): MessageInitShape<typeof ApiKeySchema> => ({
  id: row.id,
  prefix: apiKeyPrefix(row.id),
  createdAt: timestampFromDate(row.createdAt),
  expiresAt: timestampFromDate(row.expiresAt),
  lastUsedAt: row.lastUsedAt ? timestampFromDate(row.lastUsedAt) : undefined,
});

/** A team as the contract shows it; lists leave the members out. */
export const teamToProto = (team: Team, members: TeamMember[] = []): MessageInitShape<typeof TeamSchema> => ({
  id: team.id,
  name: team.name,
  description: team.description,
  members: members.map(teamMemberToProto),
  version: team.version,
  createdAt: timestampFromDate(team.createdAt),
});

/** A member of a team; the user must be loaded. */
export const teamMemberToProto = ({ user, role }: TeamMember): MessageInitShape<typeof TeamMemberSchema> => ({
  userId: user.id,
  email: user.email,
  firstName: user.firstName,
  lastName: user.lastName,
  role,
});

/** A team of a user's; the team must be loaded. */
export const teamMembershipToProto = ({ team, role }: TeamMember): MessageInitShape<typeof TeamMembershipSchema> => ({
  id: team.id,
  name: team.name,
  role,
});

/** A feature flag as the contract shows it. */
export const featureFlagToProto = (flag: FeatureFlag): MessageInitShape<typeof FeatureFlagSchema> => ({
  id: flag.id,
  name: flag.name,
  description: flag.description,
  enabled: flag.enabled,
  version: flag.version,
  createdAt: timestampFromDate(flag.createdAt),
  updatedAt: timestampFromDate(flag.updatedAt),
});
