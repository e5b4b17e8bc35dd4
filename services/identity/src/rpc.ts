import { type ListDefinition, listPage, type Scope } from '@accessops/db';
import type { Handlers } from '@accessops/grpc';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { IdentityService, TeamSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx, ServiceParts } from '@accessops/service';
import { command, query } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { FilterQuery } from '@mikro-orm/postgresql';
import { addTeamMember, removeTeamMember } from './change-team-member.ts';
import { activateTenant, suspendTenant } from './change-tenant-status.ts';
import { createApiKey, rotateApiKey } from './create-api-key.ts';
import { createRole } from './create-role.ts';
import { createServiceAccount } from './create-service-account.ts';
import { createTeam } from './create-team.ts';
import { createUser } from './create-user.ts';
import { deleteRole } from './delete-role.ts';
import { deleteServiceAccount } from './delete-service-account.ts';
import { deleteTeam } from './delete-team.ts';
import { featureFlagHandlers } from './feature-flags/rpc.ts';
import { findRole, rolesOf } from './find-role.ts';
import { findServiceAccount } from './find-service-account.ts';
import { findTeam, membersOf } from './find-team.ts';
import { findUser } from './find-user.ts';
import { getMe } from './get-me.ts';
import { getTenant } from './get-tenant.ts';
import { acceptInvitation } from './invitations/accept-invitation.ts';
import { invite } from './invitations/invite.ts';
import { revokeInvitation } from './invitations/revoke-invitation.ts';
import { licenseHandlers } from './license/rpc.ts';
import { confirmEmailChange, requestEmailChange } from './links/change-email.ts';
import { requestPasswordReset } from './links/request-password-reset.ts';
import { resetPassword } from './links/reset-password.ts';
import { requestVerification, verifyEmail } from './links/verify-email.ts';
import { listMyTenants } from './list-my-tenants.ts';
import * as lists from './lists.ts';
import type { QueueMail } from './mail/queue-mail.ts';
import type { IdentityProvider } from './provider.ts';
import { register } from './register.ts';
import { resolveApiKey } from './resolve-api-key.ts';
import { resolvePrincipal } from './resolve-principal.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { settingHandlers } from './settings/rpc.ts';
import type { Settings } from './settings/settings.ts';
import type { Team } from './team.ts';
import {
  apiKeyToProto,
  invitationToProto,
  membershipToProto,
  roleToProto,
  serviceAccountToProto,
  teamMembershipToProto,
  teamMemberToProto,
  teamToProto,
  tenantToProto,
  userToProto,
} from './to-proto.ts';
import { updateMe } from './update-me.ts';
import { updateMembership } from './update-membership.ts';
import { updateRole } from './update-role.ts';
import { updateServiceAccount } from './update-service-account.ts';
import { updateTeam } from './update-team.ts';
import { updateTenant } from './update-tenant.ts';
import { updateUser } from './update-user.ts';
import type { User } from './user.ts';

type Authorizing = Pick<Ctx, 'authorize' | 'tenantId'>;

/** May the caller do this to something of their own tenant? */
const may = (ctx: Authorizing, kind: string, action: string) => ctx.authorize(kind, action, { tenantId: ctx.tenantId });

/** A list of whatever the transaction may see. */
const anyPage = <E extends object, P>(definition: ListDefinition<E>, toProto: (item: E) => P) => {
  return async ({ em }: Ctx, listQuery: ListQuery | undefined, where?: FilterQuery<E>) => {
    const { items, next } = await listPage(em, definition, listQuery, where);
    return { items: items.map(toProto), page: { next } };
  };
};

/** A list of the caller's tenant. The policy's rule alone, one tenant or all, would keep the database from using indexes that start with it. */
const page = <E extends { tenantId: string }, P>(definition: ListDefinition<E>, toProto: (item: E) => P) => {
  const list = anyPage(definition, toProto);
  return (ctx: Ctx, listQuery: ListQuery | undefined, where: FilterQuery<E> = {}) =>
    list(ctx, listQuery, { $and: [{ tenantId: ctx.tenantId }, where] } as FilterQuery<E>);
};

const userPage = page(lists.users, userToProto);
const membershipPage = page(lists.memberships, (user) => user);
const teamPage = page(lists.teams, (team) => teamToProto(team));
const ownTeamPage = page(lists.teamsOfUser, teamMembershipToProto);
const memberPage = page(lists.teamMembers, teamMemberToProto);
const invitationPage = page(lists.invitations, invitationToProto);
const rolePage = page(lists.roles, roleToProto);
const serviceAccountPage = page(lists.serviceAccounts, serviceAccountToProto);
const apiKeyPage = page(lists.apiKeys, (key) => apiKeyToProto(key));
const tenantPage = anyPage(lists.tenants, tenantToProto);

const everywhere: Scope = 'all-tenants';

const withMembers = async ({ em }: Ctx, team: Team): Promise<MessageInitShape<typeof TeamSchema>> =>
  teamToProto(team, await membersOf(em, team));

const membershipsOf = async ({ em, tenantId }: Ctx, users: User[]) => {
  const roles = await rolesOf(
    em,
    tenantId,
    users.map(({ id }) => id),
  );
  return users.map((user) => membershipToProto(user, roles));
};

export interface IdentityOptions {
  provider: IdentityProvider;
  queueMail: QueueMail;
  settings: Settings;
  /** Kept once the first key and the declared platform staff are there, or cannot be made now. */
  ready: Promise<void>;
}

/** The RPCs of IdentityService. Each asks policy first; sessions are outside Idempotency-Key, for tokens must not be kept. */
export const identityHandlers = (
  { pool, now, authorizer }: ServiceParts,
  { provider, settings, queueMail, ready }: IdentityOptions,
): Handlers<typeof IdentityService, Call> => ({
  register: async (call, request) => {
    await call.authorize('session', 'register', {});
    return register(call, { provider, settings, queueMail }, request);
  },
  login: async (call, request) => {
    await call.authorize('session', 'login', {});
    await ready;
    return provider.login(call, request);
  },
  refresh: async (call, { refreshToken }) => {
    await call.authorize('session', 'refresh', {});
    return provider.refresh(call, refreshToken);
  },
  logout: async (call, { refreshToken }) => {
    await call.authorize('session', 'logout', {});
    await provider.logout(call, refreshToken);
    return {};
  },
  getJwks: async () => ({ jwksJson: JSON.stringify(await provider.jwks()) }),
  resolvePrincipal: async (call, request) => {
    await call.authorize('principal', 'resolve', {});
    return resolvePrincipal(pool, now(), request);
  },

  stepUp: async (call, code) => {
    await call.authorize('session', 'step_up', {});
    return provider.stepUp(call, code);
  },
  getMfa: query(async (ctx) => {
    await may(ctx, 'me', 'read');
    return provider.secondFactor.get(ctx);
  }),
  // What is handed out once is not kept under an Idempotency-Key.
  beginTotp: async (call) => {
    await may(call, 'me', 'manage_mfa');
    return call.write((ctx) => provider.secondFactor.begin(ctx));
  },
  confirmTotp: async (call, { code }) => {
    await may(call, 'me', 'manage_mfa');
    return { codes: await provider.secondFactor.confirm(call, code) };
  },
  renewRecoveryCodes: async (call) => {
    await may(call, 'me', 'manage_mfa');
    return { codes: await provider.secondFactor.renewRecoveryCodes(call) };
  },
  removeTotp: async (call) => {
    await may(call, 'me', 'manage_mfa');
    await provider.secondFactor.remove(call);
    return {};
  },
  removeUserMfa: async (call, { userId }) => {
    await may(call, 'user', 'remove_mfa');
    await provider.secondFactor.removeOf(call, userId);
    return {};
  },

  getMe: query(async (ctx) => {
    await may(ctx, 'me', 'read');
    return getMe(ctx);
  }),
  updateMe: command(async (ctx, request) => {
    await may(ctx, 'me', 'update');
    await updateMe(ctx, request);
    return getMe(ctx);
  }),
  listMyTeams: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'team', 'list_own');
    return ownTeamPage(ctx, listQuery, { user: ctx.principal.id });
  }),
  listTeamMembers: query(async (ctx, { teamId, query: listQuery }) => {
    const team = await findTeam(ctx.em, teamId);
    await ctx.authorize('team', 'read_members', { tenantId: team.tenantId, teamId: team.id });
    return memberPage(ctx, listQuery, { team: team.id });
  }),

  getTenant: query(async (ctx) => {
    await may(ctx, 'tenant', 'read');
    return tenantToProto(await getTenant(ctx.em, ctx.tenantId));
  }),
  updateTenant: command(async (ctx, request) => {
    await may(ctx, 'tenant', 'update');
    return tenantToProto(await updateTenant(ctx, request));
  }),

  listUsers: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'user', 'list');
    return userPage(ctx, listQuery);
  }),
  getUser: query(async (ctx, { id }) => {
    await may(ctx, 'user', 'read');
    return userToProto(await findUser(ctx.em, id));
  }),
  createUser: async (call, request) => {
    await may(call, 'user', 'create');
    return createUser(call, authorizer, { provider, settings, queueMail }, request);
  },
  updateUser: command(async (ctx, request) => {
    const { firstName, lastName, active } = request;
    if (active !== undefined) await may(ctx, 'user', 'deactivate');
    if (active === undefined || firstName !== undefined || lastName !== undefined) await may(ctx, 'user', 'update');
    return userToProto(await updateUser(ctx, request));
  }),

  listTeams: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'team', 'list');
    return teamPage(ctx, listQuery);
  }),
  getTeam: query(async (ctx, { id }) => {
    await may(ctx, 'team', 'read');
    return withMembers(ctx, await findTeam(ctx.em, id));
  }),
  createTeam: command(async (ctx, request) => {
    await may(ctx, 'team', 'create');
    return teamToProto(await createTeam(ctx, request));
  }),
  updateTeam: command(async (ctx, request) => {
    await may(ctx, 'team', 'update');
    return withMembers(ctx, await updateTeam(ctx, request));
  }),
  deleteTeam: command(async (ctx, { id }) => {
    await may(ctx, 'team', 'delete');
    await deleteTeam(ctx, id);
    return {};
  }),
  addTeamMember: command(async (ctx, request) => {
    await may(ctx, 'team', 'add_member');
    return withMembers(ctx, await addTeamMember(ctx, request));
  }),
  removeTeamMember: command(async (ctx, request) => {
    await may(ctx, 'team', 'remove_member');
    await removeTeamMember(ctx, request);
    return {};
  }),

  listMemberships: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'membership', 'list');
    const { items, page: position } = await membershipPage(ctx, listQuery);
    return { items: await membershipsOf(ctx, items), page: position };
  }),
  updateMembership: command(async (ctx, request) => {
    await may(ctx, 'membership', 'update');
    const [membership] = await membershipsOf(ctx, [await updateMembership(ctx, authorizer, request)]);
    return membership ?? {};
  }),

  listTenants: async (call, { query: listQuery }) => {
    await may(call, 'tenant', 'list_any');
    return call.read((ctx) => tenantPage(ctx, listQuery), everywhere);
  },
  getAnyTenant: async (call, { id }) => {
    await may(call, 'tenant', 'read_any');
    return call.read(async ({ em }) => tenantToProto(await getTenant(em, id)), everywhere);
  },
  suspendTenant: async (call, { id }) => {
    await may(call, 'tenant', 'suspend');
    return call.writeOnce(async (ctx) => tenantToProto(await suspendTenant(ctx, id)), everywhere);
  },
  activateTenant: async (call, { id }) => {
    await may(call, 'tenant', 'activate');
    return call.writeOnce(async (ctx) => tenantToProto(await activateTenant(ctx, id)), everywhere);
  },

  requestPasswordReset: async (call, { email }) => {
    await call.authorize('session', 'reset_password', {});
    return call.writeOnce(async (ctx) => {
      await requestPasswordReset(ctx, queueMail, email);
      return {};
    });
  },
  resetPassword: async (call, request) => {
    await call.authorize('session', 'reset_password', {});
    await resetPassword(call, provider, request);
    return {};
  },
  verifyEmail: async (call, { token }) => {
    await call.authorize('session', 'verify_email', {});
    return call.writeOnce(async (ctx) => {
      await verifyEmail(ctx, token);
      return {};
    }, everywhere);
  },
  requestVerification: async (call) => {
    await may(call, 'me', 'update');
    return call.writeOnce(async (ctx) => {
      await requestVerification(ctx, queueMail);
      return {};
    });
  },
  requestEmailChange: async (call, { email }) => {
    await may(call, 'me', 'update');
    return call.writeOnce(async (ctx) => {
      await requestEmailChange(ctx, queueMail, email);
      return {};
    });
  },
  confirmEmailChange: async (call, { token }) => {
    await call.authorize('session', 'change_email', {});
    return call.writeOnce(async (ctx) => ({ status: await confirmEmailChange(ctx, token) }), everywhere);
  },

  listInvitations: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'invitation', 'list');
    return invitationPage(ctx, listQuery);
  }),
  createInvitation: command(async (ctx, request) => {
    await may(ctx, 'invitation', 'create');
    return invitationToProto(await invite(ctx, authorizer, queueMail, request));
  }),
  revokeInvitation: command(async (ctx, { id }) => {
    await may(ctx, 'invitation', 'revoke');
    await revokeInvitation(ctx, id);
    return {};
  }),
  acceptInvitation: async (call, request) => {
    await call.authorize('session', 'accept_invitation', {});
    return acceptInvitation(call, provider, request);
  },

  listMyTenants: async (call, request) => {
    await may(call, 'me', 'read');
    return call.read((ctx) => listMyTenants(ctx, request), everywhere);
  },

  ...settingHandlers(settings),
  ...featureFlagHandlers,
  ...licenseHandlers(settings),
  listRoles: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'role', 'list');
    return rolePage(ctx, listQuery);
  }),
  getRole: query(async (ctx, { id }) => {
    await may(ctx, 'role', 'read');
    return roleToProto(await findRole(ctx.em, id));
  }),
  createRole: command(async (ctx, request) => {
    await may(ctx, 'role', 'create');
    return roleToProto(await createRole(ctx, authorizer, request));
  }),
  updateRole: command(async (ctx, request) => {
    await may(ctx, 'role', 'update');
    return roleToProto(await updateRole(ctx, authorizer, request));
  }),
  deleteRole: command(async (ctx, { id }) => {
    await may(ctx, 'role', 'delete');
    await deleteRole(ctx, id);
    return {};
  }),

  listServiceAccounts: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'service_account', 'list');
    return serviceAccountPage(ctx, listQuery);
  }),
  getServiceAccount: query(async (ctx, { id }) => {
    await may(ctx, 'service_account', 'read');
    return serviceAccountToProto(await findServiceAccount(ctx.em, id));
  }),
  createServiceAccount: command(async (ctx, request) => {
    await may(ctx, 'service_account', 'create');
    return serviceAccountToProto(await createServiceAccount(ctx, authorizer, request));
  }),
  updateServiceAccount: command(async (ctx, request) => {
    await may(ctx, 'service_account', 'update');
    return serviceAccountToProto(await updateServiceAccount(ctx, authorizer, request));
  }),
  deleteServiceAccount: command(async (ctx, { id }) => {
    await may(ctx, 'service_account', 'delete');
    await deleteServiceAccount(ctx, id);
    return {};
  }),
  listApiKeys: query(async (ctx, { serviceAccountId, query: listQuery }) => {
    await may(ctx, 'service_account', 'read');
    const account = await findServiceAccount(ctx.em, serviceAccountId);
    return apiKeyPage(ctx, listQuery, { serviceAccountId: account.id });
  }),
  createApiKey: async (call, request) => {
    await may(call, 'service_account', 'create_key');
    const { row, key } = await call.write((ctx) => createApiKey(ctx, authorizer, request));
    return apiKeyToProto(row, key);
  },
  rotateApiKey: async (call, request) => {
    await may(call, 'service_account', 'create_key');
    const { row, key } = await call.write((ctx) => rotateApiKey(ctx, authorizer, request));
    return apiKeyToProto(row, key);
  },
  revokeApiKey: command(async (ctx, request) => {
    await may(ctx, 'service_account', 'revoke_key');
    await revokeApiKey(ctx, request);
    return {};
  }),
  resolveApiKey: async (call, request) => {
    await call.authorize('principal', 'resolve', {});
    return resolveApiKey(pool, now(), request);
  },
});
