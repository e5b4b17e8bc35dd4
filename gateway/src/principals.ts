import type { Principal, PrincipalMinter } from '@accessops/authn';
import type { ResolvedApiKey, ResolvedPrincipal } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { LRUCache } from 'lru-cache';
import type { Credentials } from './authenticate.ts';

/** Somebody who calls: a principal, and the proof of it that the services want. */
export interface Caller {
  principal: Principal;
  /** `Bearer …` for the services. */
  authorization(): string | Promise<string>;
}

// Half of what a principal token lives: it is good for 30 seconds more when it is handed out for the last time.
const mintAgainMs = 30_000;

/** A caller whose token is signed when it is needed, and again when it gets old. */
export const createCaller = (minter: PrincipalMinter, principal: Principal): Caller => {
  let current = '';
  let mintedAt = Number.NEGATIVE_INFINITY;
  let minting: Promise<string> | undefined;
  const mint = async () => {
    const startedAt = performance.now();
    try {
      current = `Bearer ${await minter.mint(principal)}`;
      mintedAt = startedAt;
      return current;
    } finally {
      minting = undefined;
    }
  };
  return {
    principal,
    authorization: () => {
      if (performance.now() - mintedAt < mintAgainMs) return current;
      minting ??= mint();
      return minting;
    },
  };
};

/** What is asked of identity about a token. */
export interface PrincipalQuestion {
  subject: string;
  sessionId: string;
  /** Slugs of the token's organisation claim. */
  organizations: string[];
  /** The slug in X-Tenant; empty without one. */
  tenant: string;
}

/** What is asked of identity about an API key. */
export interface ApiKeyQuestion {
  keyId: string;
  hash: Uint8Array;
  tenant: string;
}

/** Turns verified tokens and API keys into callers, and remembers for seconds who they are. */
export interface Principals {
  /** Errors: those of identity's ResolvePrincipal and ResolveApiKey. */
  callerOf(claims: Credentials, tenant: string, audience: Principal['audience']): Caller | Promise<Caller>;
  /** Forget whom an event of identity tells about. */
  dropSession(sessionId: string): void;
  dropUser(userId: string): void;
  dropTenant(tenantId: string): void;
  dropAll(): void;
}

export interface PrincipalsOptions {
  resolve(question: PrincipalQuestion): Promise<ResolvedPrincipal>;
  resolveApiKey(question: ApiKeyQuestion): Promise<ResolvedApiKey>;
  minter: PrincipalMinter;
  /** How long an answer counts; asked each time, since it is shorter while no events come in. */
  ttlMs(): number;
}

interface Entry {
  sessionId: string;
  person: ResolvedPrincipal;
  /** The answer as text: the same answer keeps its callers, and with them their tokens and decisions. */
  fingerprint: string;
  resolvedAt: number;
  /** When the API key ends, in ms since 1970. */
  endsAt: number;
  callers: Map<string, Caller>;
}

const secondFactors = new Set(['mfa', 'otp', 'hwk', 'swk', 'sms', 'fpt', 'face', 'pop']);

/** 2 when the token tells of a second factor, by its context or its methods (RFC 8176), and identity does not know better, else 1. */
const mfaLevelOf = ({ acr, amr = [] }: Credentials, { mfaLapsed }: ResolvedPrincipal): number => {
  const isTold = acr === 'aal2' || amr.some((method) => secondFactors.has(method));
  return isTold && !mfaLapsed ? 2 : 1;
};

const principalOf = (person: ResolvedPrincipal, claims: Credentials, audience: Principal['audience']): Principal => {
  const { id, email, tenant, orgRoles, realmRoles, teams, permissions, licenseTier, flags, mfaEnrolled, mfaRequired, custodianIds } =
    person;
  return {
    type: claims.apiKeyHash ? 'service-account' : 'user',
    id,
    email,
    tenantId: tenant?.id ?? null,
    tenantSlug: tenant?.slug ?? null,
    audience,
    orgRoles,
    realmRoles,
    teams: teams.map((team) => ({ id: team.id, role: team.role === 'lead' ? 'lead' : 'member' })),
    licenseTier,
    flags,
    permissions,
    mfaLevel: mfaLevelOf(claims, person),
    mfaEnrolled,
    mfaRequired,
    riskFlags: [],
    custodianIds,
    sessionId: claims.apiKeyHash ? null : claims.sid,
  };
};

/** Everything an answer says about somebody, as text. */
const fingerprintOf = ({
  id,
  email,
  tenant,
  orgRoles,
  realmRoles,
  teams,
  licenseTier,
  flags,
  permissions,
  mfaEnrolled,
  mfaRequired,
  custodianIds,
  mfaLapsed,
}: ResolvedPrincipal): string =>
  JSON.stringify([
    id,
    email,
    tenant?.id,
    tenant?.slug,
    orgRoles,
    realmRoles,
    teams.map((team) => [team.id, team.role]),
    licenseTier,
    flags,
    permissions,
    mfaEnrolled,
    mfaRequired,
    custodianIds,
    mfaLapsed,
  ]);

/** Principals by session and X-Tenant; concurrent calls for the same one share one call to identity. */
export const createPrincipals = ({ resolve, resolveApiKey, minter, ttlMs }: PrincipalsOptions): Principals => {
  const entries = new LRUCache<string, Entry>({ max: 20_000 });
  const running = new Map<string, Promise<Entry>>();
  // What was asked before an event may be what the event made wrong: it is answered, but not kept.
  let generation = 0;

  const keys = new WeakMap<Credentials, string>();
  const keyOf = (claims: Credentials, tenant: string) => {
    let key = keys.get(claims);
    if (key === undefined) {
      const { apiKeyHash: hash } = claims;
      key = JSON.stringify([claims.sid, hash ? hash.toString('base64') : claims.sub, Object.keys(claims.organization ?? {}).sort()]);
      keys.set(claims, key);
    }
    return tenant ? `${key} ${tenant}` : key;
  };

  const ask = async (claims: Credentials, tenant: string): Promise<Pick<Entry, 'person' | 'endsAt'>> => {
    if (claims.apiKeyHash) {
      const { principal, expiresAt } = await resolveApiKey({ keyId: claims.sid, hash: claims.apiKeyHash, tenant });
      if (!principal || !expiresAt) throw new Error('identity has left out whose key it is');
      return { person: principal, endsAt: timestampMs(expiresAt) };
    }
    const organizations = Object.keys(claims.organization ?? {});
    return {
      person: await resolve({ subject: claims.sub, sessionId: claims.sid, organizations, tenant }),
      endsAt: Number.POSITIVE_INFINITY,
    };
  };

  const load = async (key: string, claims: Credentials, tenant: string): Promise<Entry> => {
    const [asked, resolvedAt, before] = [generation, performance.now(), entries.get(key)];
    const { person, endsAt } = await ask(claims, tenant);
    const fingerprint = fingerprintOf(person);
    const callers = before?.fingerprint === fingerprint ? before.callers : new Map<string, Caller>();
    const entry = { sessionId: claims.sid, person, fingerprint, resolvedAt, endsAt, callers };
    if (asked === generation) entries.set(key, entry);
    return entry;
  };

  const loadOnce = (key: string, claims: Credentials, tenant: string): Promise<Entry> => {
    const known = running.get(key);
    if (known) return known;
    const loading = load(key, claims, tenant).finally(() => {
      if (running.get(key) === loading) running.delete(key);
    });
    running.set(key, loading);
    return loading;
  };

  const callerIn = (entry: Entry, claims: Credentials, audience: Principal['audience']): Caller => {
    const variant = `${audience} ${mfaLevelOf(claims, entry.person)}`;
    let caller = entry.callers.get(variant);
    if (!caller) {
      caller = createCaller(minter, principalOf(entry.person, claims, audience));
      entry.callers.set(variant, caller);
    }
    return caller;
  };

  const drop = (concerns: (entry: Entry) => boolean) => {
    generation++;
    running.clear();
    for (const [key, entry] of entries.entries()) if (concerns(entry)) entries.delete(key);
  };

  return {
    callerOf: (claims, tenant, audience) => {
      const key = keyOf(claims, tenant);
      const entry = entries.get(key);
      if (entry && performance.now() - entry.resolvedAt < ttlMs() && Date.now() < entry.endsAt) return callerIn(entry, claims, audience);
      return loadOnce(key, claims, tenant).then((loaded) => callerIn(loaded, claims, audience));
    },
    dropSession: (sessionId) => drop((entry) => entry.sessionId === sessionId),
    dropUser: (userId) => drop((entry) => entry.person.id === userId),
    dropTenant: (tenantId) => drop((entry) => entry.person.tenant?.id === tenantId),
    dropAll: () => drop(() => true),
  };
};
