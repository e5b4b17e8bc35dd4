import type { Authorizer } from '@accessops/authz';
import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, command, query } from '@accessops/service';
import * as lists from '../lists.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { may } from '../may.ts';
import { page } from '../page.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { invitationToProto } from '../to-proto.ts';
import { acceptInvitation } from './accept-invitation.ts';
import { invite } from './invite.ts';
import { revokeInvitation } from './revoke-invitation.ts';

const invitationPage = page(lists.invitations, invitationToProto);

/** The RPCs about invitations. */
export const invitationHandlers = (
  authorizer: Authorizer,
  parts: { provider: IdentityProvider; queueMail: QueueMail; settings: Settings },
) =>
  ({
    listInvitations: query(async (ctx, { query: listQuery }) => {
      await may(ctx, 'invitation', 'list');
      return invitationPage(ctx, listQuery);
    }),
    createInvitation: command(async (ctx, request) => {
      await may(ctx, 'invitation', 'create');
      return invitationToProto(await invite(ctx, authorizer, parts, request));
    }),
    revokeInvitation: command(async (ctx, { id }) => {
      await may(ctx, 'invitation', 'revoke');
      await revokeInvitation(ctx, id);
      return {};
    }),
    acceptInvitation: async (call, request) => {
      await call.authorize('session', 'accept_invitation', {});
      return call.orKept(() => acceptInvitation(call, parts, request));
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
