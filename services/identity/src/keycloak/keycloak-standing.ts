import { orgRoles } from '../org-role.ts';
import { realmRoles } from '../realm-role.ts';
import { type Admin, orMissing, statusOf, unless } from './admin.ts';
import { type AuthenticatorApp, credentialsOf, dropAuthenticatorApp, putAuthenticatorApp } from './credentials.ts';
import type { Standing } from './merge-standing.ts';
import type { Organizations } from './organizations.ts';
import { namesOf, organizationOf, pieces, rolesIn } from './pieces.ts';

/** Somebody's groups in an organisation, by id. The admin client knows the members of a group, not the groups of a member. */
const groupsOfMember = (admin: Admin, orgId: string, userId: string) =>
  admin.run(
    ({ organizations }) =>
      organizations.makeRequest<{ orgId: string; userId: string }, { id: string; name: string }[]>({
        method: 'GET',
        path: '/{orgId}/members/{userId}/groups',
        urlParamKeys: ['orgId', 'userId'],
      })({ orgId, userId }) as Promise<{ id: string; name: string }[]>,
  );

const ofOurs = (roles: readonly string[], names: (string | undefined)[]): string[] => roles.filter((role) => names.includes(role));

/**
 * What Keycloak knows of a person at the moment; somebody who was deleted there is disabled and belongs nowhere. Of second factors only
 * those that are `known` here count.
 */
export const readKeycloakStanding = async (admin: Admin, userId: string, known: (string | undefined)[]): Promise<Standing> => {
  // All at once: somebody who was disabled is to be refused soon.
  const [user, mapped, memberships, credentials] = await Promise.all([
    admin.run(({ users }) => orMissing(users.findOne({ id: userId }))),
    admin.run(({ users }) => orMissing(users.listRealmRoleMappings({ id: userId }))),
    admin.run(({ organizations }) => orMissing(organizations.memberOrganizations({ userId }))),
    known.some((id) => id) ? credentialsOf(admin, userId) : [],
  ]);
  if (!user || !mapped || !memberships) return pieces({ enabled: false, names: '', email: '', verified: false, realmRoles: [] });
  const organizations = await Promise.all(
    memberships.map(async ({ id = '', alias = '' }) => {
      const groups = await groupsOfMember(admin, id, userId);
      const roles = ofOurs(
        orgRoles,
        groups.map(({ name }) => name),
      );
      return [alias, roles] as const;
    }),
  );
  return pieces({
    enabled: user.enabled ?? false,
    names: namesOf(user),
    email: user.email?.toLowerCase() ?? '',
    verified: user.emailVerified ?? false,
    secondFactor: credentials.find(({ id }) => known.includes(id))?.id,
    realmRoles: ofOurs(
      realmRoles,
      mapped.map(({ name }) => name),
    ),
    organizations,
  });
};

const pushRealmRoles = async (admin: Admin, userId: string, wanted: string[]) => {
  const held = (await admin.run(({ users }) => users.listRealmRoleMappings({ id: userId }))).map(({ name = '' }) => name);
  for (const role of realmRoles) {
    if (wanted.includes(role) === held.includes(role)) continue;
    await admin.run(async ({ roles, users }) => {
      const found = await roles.findOneByName({ name: role });
      const change = { id: userId, roles: [{ id: found?.id ?? '', name: role }] };
      await (wanted.includes(role) ? users.addRealmRoleMappings(change) : users.delRealmRoleMappings(change));
    });
  }
};

const pushMembership = async (admin: Admin, organizations: Organizations, userId: string, slug: string, wanted: string[] | undefined) => {
  if (!wanted) {
    const orgId = await organizations.find(slug);
    if (orgId) await admin.run((client) => unless(404, client.organizations.delMember({ orgId, userId })));
    return;
  }
  const { orgId, groups } = await organizations.ensure(slug);
  await admin.run((client) => unless(409, client.organizations.addMember({ orgId, userId })));
  const held = await groupsOfMember(admin, orgId, userId);
  for (const [role, groupId] of groups) {
    const [wants, holds] = [wanted.includes(role), held.some(({ id }) => id === groupId)];
    if (wants === holds) continue;
    await admin.run((client) => {
      const inOrganization = client.organizations.groups(orgId);
      const change = { groupId, userId };
      return wants ? inOrganization.addMemberToOrgGroup(change) : unless(404, inOrganization.removeMemberFromOrgGroup(change));
    });
  }
};

/** Gives somebody another address in Keycloak; answers false when another user has it there. */
export const writeKeycloakEmail = async (admin: Admin, userId: string, email: string): Promise<boolean> => {
  try {
    await admin.run(({ users }) => users.update({ id: userId }, { email, emailVerified: true }));
    return true;
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    return false;
  }
};

/** Makes pieces of a person's standing in Keycloak what they are here, but for the address. */
export const writeKeycloakStanding = async (
  admin: Admin,
  organizations: Organizations,
  userId: string,
  { push, before, app }: { push: Record<string, string | undefined>; before: Standing; app: AuthenticatorApp | undefined },
): Promise<void> => {
  const { enabled, names, verified, realmRoles: roles, secondFactor } = push;
  if (secondFactor !== undefined) {
    if (before.secondFactor) await dropAuthenticatorApp(admin, userId, before.secondFactor);
    if (app) await putAuthenticatorApp(admin, userId, app);
  }
  if (roles !== undefined) await pushRealmRoles(admin, userId, rolesIn(roles));
  for (const [piece, value] of Object.entries(push)) {
    const slug = organizationOf(piece);
    if (slug) await pushMembership(admin, organizations, userId, slug, value === undefined ? undefined : rolesIn(value));
  }
  // Enabled last: whoever can log in is complete.
  if (enabled === undefined && names === undefined && verified === undefined) return;
  const [firstName, lastName] = names === undefined ? [] : (JSON.parse(names) as [string, string]);
  const change = {
    ...(enabled !== undefined && { enabled: enabled === 'true' }),
    ...(names !== undefined && { firstName, lastName }),
    ...(verified !== undefined && { emailVerified: verified === 'true' }),
  };
  await admin.run(({ users }) => users.update({ id: userId }, change));
};
