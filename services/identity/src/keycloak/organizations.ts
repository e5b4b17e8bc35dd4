import { LRUCache } from 'lru-cache';
import { orgRoles } from '../org-role.ts';
import { type Admin, unless } from './admin.ts';
import { createTurns } from './turns.ts';

/** An organisation of Keycloak with its groups, which are the org roles. */
export interface Organization {
  orgId: string;
  /** Role → id of its group. */
  groups: Map<string, string>;
}

/** Keycloak's organisations; a tenant's slug is both name and alias of its own. */
export interface Organizations {
  find(slug: string): Promise<string | undefined>;
  /** Makes what is missing of the organisation and its groups. */
  ensure(slug: string): Promise<Organization>;
}

// A group that was deleted in Keycloak is made again when the organisation is looked at afresh.
const rememberMs = 60_000;

/** Keycloak's organisations by the admin client. */
export const createOrganizations = (admin: Admin): Organizations => {
  const known = new LRUCache<string, Organization>({ max: 1000, ttl: rememberMs });
  const turns = createTurns(1);

  const find = async (slug: string): Promise<string | undefined> => {
    const found = await admin.run(({ organizations }) => organizations.find({ search: slug, exact: true }));
    return found.find(({ alias }) => alias === slug)?.id;
  };
  const groupsOf = async (orgId: string): Promise<Map<string, string>> => {
    const found = await admin.run(({ organizations }) => organizations.groups(orgId).find({}));
    return new Map(found.map(({ name = '', id = '' }) => [name, id]));
  };
  const make = async (slug: string): Promise<Organization> => {
    let orgId = await find(slug);
    if (!orgId) {
      // Another instance may be faster.
      await admin.run(({ organizations }) => unless(409, organizations.create({ name: slug, alias: slug, enabled: true })));
      orgId = await find(slug);
    }
    if (!orgId) throw new Error(`Keycloak has no organisation ${slug} and makes none`);
    const id = orgId;
    const groups = await groupsOf(id);
    const missing = orgRoles.filter((role) => !groups.has(role));
    for (const name of missing) await admin.run(({ organizations }) => unless(409, organizations.groups(id).create({ name })));
    const all = missing.length > 0 ? await groupsOf(id) : groups;
    return { orgId, groups: new Map(orgRoles.map((role) => [role, all.get(role) ?? ''])) };
  };

  return {
    find,
    ensure: (slug) =>
      turns(slug, async () => {
        const organization = known.get(slug) ?? (await make(slug));
        known.set(slug, organization);
        return organization;
      }),
  };
};
