import { onUnique } from '@accessops/db';
import type { WriteContext } from '@accessops/events';
import type { Account } from './account.ts';
import { requireRoomForUser } from './license/require-room.ts';
import type { OrgRole } from './org-role.ts';
import { tellUserCreated } from './tell-user-created.ts';
import { User } from './user.ts';

/** Makes an account's person a user of the context's tenant. Errors: EMAIL_TAKEN, LICENSE_LIMIT_REACHED. */
export const addUser = async (
  ctx: WriteContext,
  { id, email, firstName, lastName, verified }: Account,
  orgRoles: OrgRole[],
): Promise<User> => {
  const { em, tenantId } = ctx;
  await requireRoomForUser(em, tenantId);
  const now = ctx.now();
  const user = em.create(User, {
    id,
    tenantId,
    email,
    firstName,
    lastName,
    active: true,
    verified,
    orgRoles,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await em.flush().catch(onUnique({ app_user_email: 'EMAIL_TAKEN', app_user_pkey: 'EMAIL_TAKEN' }));
  tellUserCreated(ctx, { id, email, active: true, orgRoles, teamIds: [], version: user.version }, user);
  return user;
};
