import { emit } from '@accessops/events';
import { MembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateMembershipRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from './changes.ts';
import { lockUser } from './find-user.ts';
import { keepAnAdmin } from './keep-an-admin.ts';
import { parseOrgRoles } from './org-role.ts';
import { snapshotOf } from './snapshot.ts';
import type { User } from './user.ts';

/** Replaces a user's org roles, the caller's own included. Errors: USER_NOT_FOUND, INVALID_FIELDS, LAST_ADMIN, PRECONDITION_FAILED. */
export const updateMembership = async (ctx: Ctx, { userId, orgRoles }: UpdateMembershipRequest): Promise<User> => {
  const roles = parseOrgRoles(orgRoles);
  const user = await lockUser(ctx.em, userId);
  ctx.expectVersion(user.version);
  const changes = changesBetween({ orgRoles: user.orgRoles }, { orgRoles: roles });
  if (Object.keys(changes).length === 0) return user;

  if (user.isActiveAdmin() && !roles.includes('admin')) await keepAnAdmin(ctx, user);
  user.hold(roles, ctx.now());
  await ctx.em.flush();
  emit(ctx, MembershipChangedSchema, { user: await snapshotOf(ctx.em, user) }, user.id, {
    action: 'MEMBERSHIP_CHANGED',
    entityType: 'MEMBERSHIP',
    entityId: user.id,
    changes,
  });
  return user;
};
