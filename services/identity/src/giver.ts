import { type Authorizer, haveEach } from '@accessops/authz';
import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import type { OrgRole } from './org-role.ts';
import { Role } from './roles/role.ts';
import { User } from './user.ts';

/** The caller as somebody who gives: not as the token says, but as it stands in rows that are locked until the transaction ends. */
export interface Giver {
  orgRoles: OrgRole[];
  /** Of custom roles. */
  permissions: string[];
}

const locked = { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE } as const;

/**
 * Locks the caller and the users named, in the order of their ids; answers those that there are. Whoever takes something from the caller
 * at the same moment waits, or is waited for. Before any role is locked.
 */
export const lockPeople = ({ em, tenantId, principal }: Ctx, userIds: string[] = []): Promise<User[]> =>
  em.find(User, { tenantId, id: { $in: [principal.id, ...userIds] } }, locked);

/** Locks the roles that the caller has and those named, in the order of their ids; answers the caller as it is now, and those named. */
export const lockRoles = async (ctx: Ctx, people: User[], roleIds: string[] = []): Promise<{ giver: Giver; named: Role[] }> => {
  const { em, tenantId, principal } = ctx;
  const caller = people.find(({ id }) => id === principal.id);
  const held = await em.execute<{ id: string }[]>('select role_id as id from role_assignment where tenant_id = ? and user_id = ?', [
    tenantId,
    principal.id,
  ]);
  const ownIds = new Set(held.map(({ id }) => id));
  const roles = await em.find(Role, { tenantId, id: { $in: [...ownIds, ...roleIds] } }, locked);
  const giver =
    principal.type === 'user' && caller?.active
      ? { orgRoles: caller.orgRoles, permissions: roles.filter(({ id }) => ownIds.has(id)).flatMap(({ permissions }) => permissions) }
      : { orgRoles: [], permissions: [] };
  return { giver, named: roles.filter(({ id }) => roleIds.includes(id)) };
};

/** Locks the caller and the roles that the caller has; answers the caller as it is now. */
export const lockGiver = async (ctx: Ctx): Promise<Giver> => (await lockRoles(ctx, await lockPeople(ctx))).giver;

/** Those org roles that somebody cannot give: one gives what one has, and an admin all of them. */
export const rolesBeyond = (giver: Pick<Giver, 'orgRoles'>, orgRoles: OrgRole[]): OrgRole[] =>
  giver.orgRoles.includes('admin') ? [] : orgRoles.filter((role) => !giver.orgRoles.includes(role));

/** What somebody is about to give. */
export interface Gift {
  orgRoles?: OrgRole[];
  permissions?: string[];
}

/**
 * Refuses to give what the giver does not have. A role of the platform is more than its permissions (it may decide): it is given by those
 * who have that role, and by admins. Errors: CANNOT_GIVE, naming what is missing.
 */
export const assertMayGive = async (
  { principal }: Ctx,
  authorizer: Authorizer,
  giver: Giver,
  { orgRoles = [], permissions = [] }: Gift,
): Promise<void> => {
  const [having] = permissions.length > 0 ? await haveEach(authorizer, [{ ...principal, ...giver }], permissions) : [];
  const missing = [...rolesBeyond(giver, orgRoles), ...permissions.filter((_, index) => !having?.[index])];
  if (missing.length > 0) throw new AppError('CANNOT_GIVE', `You do not have ${missing.join(', ')} yourself`, { members: { missing } });
};
