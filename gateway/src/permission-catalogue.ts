import { type Authorizer, givable, has, holderOf, type Permission } from '@accessops/authz';
import type { Audience, Route } from './define-route.ts';

/** A permission that custom roles can list, and what it is for. */
export interface CataloguePermission {
  permission: Permission;
  /** Of the routes that it opens. */
  audiences: Audience[];
  operationIds: string[];
  /** Whether service accounts can have it as a scope. */
  forServiceAccounts: boolean;
}

/** What can be given: made of the routes, and of what policies open for whoever has a permission. */
export interface PermissionCatalogue {
  all(): Promise<CataloguePermission[]>;
  /** Those of the catalogue that a role of the platform has. */
  ofSystemRole(role: string): Promise<Permission[]>;
}

// Policies change seldom, and what they say is the same for all tenants.
const keptMs = 5000;

/** Asks once for what is wanted again and again within seconds; an answer that did not come is not kept. */
const remembering = <T>(ask: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const known = new Map<string, { askedAt: number; answer: Promise<T> }>();
  return (key) => {
    const hit = known.get(key);
    if (hit && performance.now() - hit.askedAt < keptMs) return hit.answer;
    const entry = { askedAt: performance.now(), answer: ask(key) };
    known.set(key, entry);
    entry.answer.catch(() => known.get(key) === entry && known.delete(key));
    return entry.answer;
  };
};

/** The catalogue of these routes. The platform's own routes are no tenant's to give. */
export const createPermissionCatalogue = (routes: readonly Route[], authorizer: Authorizer): PermissionCatalogue => {
  const byPermission = new Map<Permission, Route[]>();
  for (const route of routes.filter(({ audience }) => audience === 'app' || audience === 'org-admin')) {
    const permission = `${route.cerbos.resource}:${route.cerbos.action}`;
    byPermission.set(permission, [...(byPermission.get(permission) ?? []), route]);
  }
  const declared = [...byPermission.keys()].sort();

  const catalogue = remembering(async () => {
    const answers = await givable(authorizer, declared);
    return declared.flatMap((permission, index): CataloguePermission[] => {
      const answer = answers[index];
      if (!answer?.toRoles) return [];
      const opened = byPermission.get(permission) ?? [];
      const audiences = [...new Set(opened.map(({ audience }) => audience))];
      return [
        { permission, audiences, operationIds: opened.map(({ operationId }) => operationId), forServiceAccounts: answer.toServiceAccounts },
      ];
    });
  });
  const askOfRole = async (role: string): Promise<Permission[]> => {
    const permissions = (await catalogue('')).map(({ permission }) => permission);
    const held = await has(authorizer, { ...holderOf([], 'any'), orgRoles: [role] }, permissions);
    return permissions.filter((_, index) => held[index]);
  };
  // One role after the other: hundreds of questions at once would keep everybody else's waiting.
  let turn: Promise<unknown> = Promise.resolve();
  const ofSystemRole = remembering((role) => {
    const asked = turn.then(() => askOfRole(role));
    turn = asked.catch(() => undefined);
    return asked;
  });
  return { all: () => catalogue(''), ofSystemRole };
};
