import type { Principal } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import type { Exchange } from '../exchange.ts';
import { networkOf } from './client-address.ts';
import { createLimit, type Standing } from './limit.ts';
import type { LimitStore } from './limit-store.ts';

/** Calls per minute. */
export interface LimitsConfig {
  user: number;
  tenant: number;
  /** For calls of nobody we know. */
  address: number;
}

/** Counts calls, and writes where their caller stands into the headers of the answer. Errors: TOO_MANY_REQUESTS. */
export interface Limits {
  /** A call without a good token. */
  countAddress(exchange: Exchange): undefined | Promise<void>;
  countCaller(exchange: Exchange, principal: Principal): undefined | Promise<void>;
}

const windowSeconds = 60;

/** An error that says when to come again. */
export const tooMany = (code: 'TOO_MANY_REQUESTS' | 'TOO_MANY_ATTEMPTS', waitMs: number): AppError =>
  new AppError(code, undefined, { members: { retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) } });

const secondsUntil = (time: number): number => Math.max(0, Math.ceil((time - performance.now()) / 1000));

/** `RateLimit` as in draft-ietf-httpapi-ratelimit-headers. */
const fieldOf = (policy: string, { remaining, endsAt }: Standing): string => `"${policy}";r=${remaining};t=${secondsUntil(endsAt)}`;

const check = ({ refused, endsAt }: Standing): void => {
  if (refused) throw tooMany('TOO_MANY_REQUESTS', endsAt - performance.now());
};

/** Limits per user, tenant and address. */
export const createLimits = (store: LimitStore, config: LimitsConfig): Limits => {
  const limitOf = (name: keyof LimitsConfig) =>
    createLimit(store.counter({ keyPrefix: `limit:${name}`, points: config[name], duration: windowSeconds }));
  const limits = { user: limitOf('user'), tenant: limitOf('tenant'), address: limitOf('address') };
  const policyOf = (name: keyof LimitsConfig) => `"${name}";q=${config[name]};w=${windowSeconds}`;
  const policies = { user: policyOf('user'), member: `${policyOf('user')}, ${policyOf('tenant')}`, address: policyOf('address') };

  const ofAddress = ({ headers }: Exchange, standing: Standing): undefined => {
    headers['ratelimit-policy'] = policies.address;
    headers.ratelimit = fieldOf('address', standing);
    check(standing);
    return undefined;
  };
  const ofUser = ({ headers }: Exchange, standing: Standing): undefined => {
    headers['ratelimit-policy'] = policies.user;
    headers.ratelimit = fieldOf('user', standing);
    check(standing);
    return undefined;
  };
  const ofTenant = ({ headers }: Exchange, standing: Standing): undefined => {
    headers['ratelimit-policy'] = policies.member;
    headers.ratelimit += `, ${fieldOf('tenant', standing)}`;
    check(standing);
    return undefined;
  };
  const countTenant = (exchange: Exchange, tenantId: string | null): undefined | Promise<void> => {
    if (tenantId === null) return undefined;
    const standing = limits.tenant(tenantId);
    return standing instanceof Promise ? standing.then((found) => ofTenant(exchange, found)) : ofTenant(exchange, standing);
  };

  return {
    countAddress: (exchange) => {
      const standing = limits.address(networkOf(exchange.address));
      return standing instanceof Promise ? standing.then((found) => ofAddress(exchange, found)) : ofAddress(exchange, standing);
    },
    countCaller: (exchange, { id, tenantId }) => {
      const standing = limits.user(id);
      if (standing instanceof Promise)
        return standing.then((found) => {
          ofUser(exchange, found);
          return countTenant(exchange, tenantId);
        });
      ofUser(exchange, standing);
      return countTenant(exchange, tenantId);
    },
  };
};

/** No limits at all, for load tests. */
export const noLimits: Limits = { countAddress: () => undefined, countCaller: () => undefined };
