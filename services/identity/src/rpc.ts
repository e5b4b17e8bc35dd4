import type { Scope } from '@accessops/db';
import type { Handlers } from '@accessops/grpc';
import type { IdentityService, TeamSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx, ServiceParts } from '@accessops/service';
import { command, query } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addTeamMember, removeTeamMember } from './change-team-member.ts';
import { activateTenant, suspendTenant } from './change-tenant-status.ts';
import { createTeam } from './create-team.ts';
import { createUser } from './create-user.ts';
import { deleteTeam } from './delete-team.ts';
import { featureFlagHandlers } from './feature-flags/rpc.ts';
import { findTeam, membersOf } from './find-team.ts';
import { findTenant } from './find-tenant.ts';
import { findUser } from './find-user.ts';
import { getMe } from './get-me.ts';
import { invitationHandlers } from './invitations/rpc.ts';
import { licenseHandlers } from './license/rpc.ts';
import { linkHandlers } from './links/rpc.ts';
import { listMyTenants } from './list-my-tenants.ts';
import * as lists from './lists.ts';
import type { Mailer } from './mail/mailer.ts';
import type { QueueMail } from './mail/queue-mail.ts';
import { sendWelcomeMail } from './mail/send-welcome-mail.ts';
import { may } from './may.ts';
import { anyPage, page } from './page.ts';
import type { IdentityProvider } from './provider.ts';
import { recordSupportRead } from './record-support-read.ts';
import { register } from './register.ts';
import { resolvePrincipal } from './resolve-principal.ts';
import { rolesOf } from './roles/find-role.ts';
import { roleHandlers } from './roles/rpc.ts';
import { secondFactorHandlers } from './second-factor-rpc.ts';
import { serviceAccountHandlers } from './service-accounts/rpc.ts';
import { settingHandlers } from './settings/rpc.ts';
import type { Settings } from './settings/settings.ts';
import type { Team } from './team.ts';
import { membershipToProto, teamMembershipToProto, teamMemberToProto, teamToProto, tenantToProto, userToProto } from './to-proto.ts';
import { updateMe } from './update-me.ts';
import { updateMembership } from './update-membership.ts';
import { updateTeam } from './update-team.ts';
import { updateTenant } from './update-tenant.ts';
import { updateUser } from './update-user.ts';
import type { User } from './user.ts';

const userPage = page(lists.users, userToProto);
const membershipPage = page(lists.memberships, (user) => user);
const teamPage = page(lists.teams, (team) => teamToProto(team));
const ownTeamPage = page(lists.teamsOfUser, teamMembershipToProto);
const memberPage = page(lists.teamMembers, teamMemberToProto);
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
  mailer: Mailer;
  publicUrl: string;
  settings: Settings;
  /** Kept once the first key and the declared platform staff are there, or cannot be made now. */
  ready: Promise<void>;
}

/** The RPCs of IdentityService. Each asks policy first; sessions are outside Idempotency-Key, for tokens must not be kept. */
export const identityHandlers = (parts: ServiceParts, options: IdentityOptions): Handlers<typeof IdentityService, Call> => {
  const { pool, now, authorizer } = parts;
  const { provider, settings, queueMail, mailer, publicUrl, ready } = options;
  return {
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
      return resolvePrincipal({ pool, settings }, now(), request);
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
      return tenantToProto(await findTenant(ctx.em, ctx.tenantId));
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
      return userToProto(await updateUser(ctx, authorizer, request));
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
      return call.read(async ({ em }) => tenantToProto(await findTenant(em, id)), everywhere);
    },
    suspendTenant: async (call, { id }) => {
      await may(call, 'tenant', 'suspend');
      return call.writeOnce(async (ctx) => tenantToProto(await suspendTenant(ctx, id)), everywhere);
    },
    activateTenant: async (call, { id }) => {
      await may(call, 'tenant', 'activate');
      return call.writeOnce(async (ctx) => tenantToProto(await activateTenant(ctx, id)), everywhere);
    },

    // Not once per Idempotency-Key: a mail is no change of state.
    sendWelcomeMail: (call, request) => sendWelcomeMail(call, { mailer, publicUrl }, request),
    recordSupportRead: async (call, request) => {
      await call.authorize('audit_event', 'record', {});
      await call.write((ctx) => recordSupportRead(ctx, request), everywhere);
      return {};
    },

    listMyTenants: async (call, request) => {
      await may(call, 'me', 'read');
      return call.read((ctx) => listMyTenants(ctx, request), everywhere);
    },

    ...secondFactorHandlers(provider),
    ...linkHandlers(options),
    ...invitationHandlers(authorizer, options),
    ...roleHandlers(authorizer),
    ...serviceAccountHandlers(parts),
    ...settingHandlers(settings),
    ...featureFlagHandlers,
    ...licenseHandlers(settings),
  };
};
