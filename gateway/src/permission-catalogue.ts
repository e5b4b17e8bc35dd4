import { type Authorizer, givable, haveEach, holderOf, type Permission } from '@accessops/authz';
import type { Audience, Route } from './define-route.ts';
import { orgRole } from './fields.ts';

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

const systemRoles: readonly string[] = orgRole.options;

/** Asks once for what is wanted again and again within seconds; an answer that did not come is not kept. */
const remembering = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let known: { askedAt: number; answer: Promise<T> } | undefined;
  return () => {
    if (known && performance.now() - known.askedAt < keptMs) return known.answer;
    const entry = { askedAt: performance.now(), answer: ask() };
    known = entry;
    entry.answer.catch(() => {
      if (known === entry) known = undefined;
    });
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
  const ofSystemRoles = remembering(async () => {
    const permissions = (await catalogue()).map(({ permission }) => permission);
    const held = await haveEach(
      authorizer,
      systemRoles.map((role) => ({ ...holderOf([], 'any'), orgRoles: [role] })),
      permissions,
    );
    return new Map(systemRoles.map((role, of) => [role, permissions.filter((_, index) => held[of]?.[index])]));
  });
  return { all: catalogue, ofSystemRole: async (role) => (await ofSystemRoles()).get(role) ?? [] };
};
