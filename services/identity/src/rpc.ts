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
import { createTeam } from './create-team.ts';
import { createUser } from './create-user.ts';
import { deleteTeam } from './delete-team.ts';
import { featureFlagHandlers } from './feature-flags/rpc.ts';
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
import { resolvePrincipal } from './resolve-principal.ts';
import { settingHandlers } from './settings/rpc.ts';
import type { Settings } from './settings/settings.ts';
import type { Team } from './team.ts';
import {
  invitationToProto,
  membershipToProto,
  teamMembershipToProto,
  teamMemberToProto,
  teamToProto,
  tenantToProto,
  userToProto,
} from './to-proto.ts';
import { updateMe } from './update-me.ts';
import { updateMembership } from './update-membership.ts';
import { updateTeam } from './update-team.ts';
import { updateTenant } from './update-tenant.ts';
import { updateUser } from './update-user.ts';

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
const membershipPage = page(lists.memberships, membershipToProto);
const teamPage = page(lists.teams, (team) => teamToProto(team));
const ownTeamPage = page(lists.teamsOfUser, teamMembershipToProto);
const memberPage = page(lists.teamMembers, teamMemberToProto);
const invitationPage = page(lists.invitations, invitationToProto);
const tenantPage = anyPage(lists.tenants, tenantToProto);

const everywhere: Scope = 'all-tenants';

const withMembers = async ({ em }: Ctx, team: Team): Promise<MessageInitShape<typeof TeamSchema>> =>
  teamToProto(team, await membersOf(em, team));

export interface IdentityOptions {
  provider: IdentityProvider;
  queueMail: QueueMail;
  settings: Settings;
  /** Kept once the first key and the declared platform staff are there, or cannot be made now. */
  ready: Promise<void>;
}

/** The RPCs of IdentityService. Each asks policy first; sessions are outside Idempotency-Key, for tokens must not be kept. */
export const identityHandlers = (
  { pool, now }: ServiceParts,
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
    return createUser(call, { provider, settings, queueMail }, request);
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
    return membershipPage(ctx, listQuery);
  }),
  updateMembership: command(async (ctx, request) => {
    await may(ctx, 'membership', 'update');
    return membershipToProto(await updateMembership(ctx, request));
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
    return invitationToProto(await invite(ctx, queueMail, request));
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
});
