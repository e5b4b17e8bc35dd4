import type { EntityManager } from '@mikro-orm/postgresql';

/** Whose rows a transaction sees: one tenant's, or those of all (background work and platform staff, where a table allows it). */
export type Scope = { tenantId: string } | 'all-tenants';

const variablesOf = (scope: Scope): Record<string, string> =>
  scope === 'all-tenants' ? { 'app.all_tenants': 'on' } : { 'app.tenant_id': scope.tenantId };

/** A fresh unit of work that row-level security confines to `scope`. */
export const scoped = (em: EntityManager, scope: Scope): EntityManager => {
  const fork = em.fork({ clear: true, freshEventManager: false });
  fork.setSessionContext({ variables: variablesOf(scope) });
  return fork;
};

const retryable = new Set(['40001', '40P01']);
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/**
 * Runs `work` in one transaction confined to `scope`; what is left unflushed is flushed at its end.
 * Deadlock victims and serialization failures are tried again (at most three times): nothing outside has happened yet.
 */
export const transaction = async <T>(em: EntityManager, scope: Scope, work: (em: EntityManager) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await scoped(em, scope).transactional((inner) => work(inner));
    } catch (error) {
      if (attempt >= 3 || !retryable.has(String(codeOf(error)))) throw error;
    }
  }
};
