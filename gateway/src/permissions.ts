import type { Principal } from '@accessops/authn';
import type { Authorizer, Question } from '@accessops/authz';
import { AppError } from '@accessops/errors';
import type { Credentials } from './authenticate.ts';
import type { Audience, Route } from './define-route.ts';
import type { Principals } from './principals.ts';
import { audienceFor } from './serve-route.ts';

const keptMs = 5000;

const namespaces = ['app', 'org-admin', 'admin'] as const satisfies Exclude<Audience, 'public'>[];

/** What each namespace declares, without repetition. */
const questionsOf = (routes: readonly Route[], namespace: Audience): Question[] => {
  const pairs = new Map(
    routes.filter(({ audience }) => audience === namespace).map(({ cerbos }) => [`${cerbos.resource}:${cerbos.action}`, cerbos]),
  );
  return [...pairs.values()].map(({ resource, action }) => ({ kind: resource, action, version: 'route' }));
};

const isFor = (claims: Credentials, namespace: (typeof namespaces)[number]): Principal['audience'] | undefined => {
  try {
    return audienceFor(claims, namespace);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
};

/** Tells what somebody may do on the routes of a token's namespaces, as sorted `resource:action`; remembered for seconds. */
export const createPermissions = (routes: readonly Route[], authorizer: Authorizer, principals: Principals) => {
  const questions = new Map(namespaces.map((namespace) => [namespace, questionsOf(routes, namespace)]));
  const known = new WeakMap<Principal, Map<string, { askedAt: number; allowed: Promise<string[]> }>>();

  const ask = async (principal: Principal, asked: Question[]): Promise<string[]> => {
    const answers = await authorizer.allowed(principal, asked);
    return asked.filter((_, index) => answers[index]).map(({ kind, action }) => `${kind}:${action}`);
  };

  const remembered = (principal: Principal, namespace: (typeof namespaces)[number]): Promise<string[]> => {
    const ofPrincipal = known.get(principal) ?? new Map<string, { askedAt: number; allowed: Promise<string[]> }>();
    known.set(principal, ofPrincipal);
    const hit = ofPrincipal.get(namespace);
    if (hit && performance.now() - hit.askedAt < keptMs) return hit.allowed;
    const allowed = ask(principal, questions.get(namespace) ?? []);
    ofPrincipal.set(namespace, { askedAt: performance.now(), allowed });
    // An answer that did not come is not remembered.
    allowed.catch(() => ofPrincipal.delete(namespace));
    return allowed;
  };

  return async (claims: Credentials, tenant: string): Promise<string[]> => {
    const found = await Promise.all(
      namespaces.map(async (namespace) => {
        const audience = isFor(claims, namespace);
        if (!audience) return [];
        const { principal } = await principals.callerOf(claims, tenant, audience);
        return remembered(principal, namespace);
      }),
    );
    return [...new Set(found.flat())].sort();
  };
};
