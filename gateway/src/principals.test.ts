import type { AccessTokenClaims, Principal } from '@accessops/authn';
import { ResolvedApiKeySchema, type ResolvedPrincipal, ResolvedPrincipalSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { createPrincipals, type PrincipalQuestion } from './principals.ts';

const claims = (sid: string, sub = 'alice', extra: Partial<AccessTokenClaims> = {}): AccessTokenClaims => ({
  iss: 'i',
  sub,
  sid,
  aud: ['accessops-app'],
  exp: 2_000_000_000,
  iat: 1,
  organization: { acme: {} },
  ...extra,
});

const person = (id: string, orgRoles: string[] = ['requester']): ResolvedPrincipal =>
  create(ResolvedPrincipalSchema, { id, email: `${id}@acme.test`, tenant: { id: 't-acme', slug: 'acme' }, orgRoles });

/** Principals over an identity that is told what to answer, and when. */
const world = () => {
  const asked: PrincipalQuestion[] = [];
  const minted: Principal[] = [];
  let answer: (question: PrincipalQuestion) => Promise<ResolvedPrincipal> = async ({ subject }) => person(subject);
  const askedForKeys: string[] = [];
  const state = { ttlMs: 60_000, keyEndsAt: Date.now() + 60_000 };
  const principals = createPrincipals({
    resolve: (question) => {
      asked.push(question);
      return answer(question);
    },
    resolveApiKey: ({ keyId }) => {
      askedForKeys.push(keyId);
      return Promise.resolve(create(ResolvedApiKeySchema, { principal: person('ci', []), expiresAt: timestampFromMs(state.keyEndsAt) }));
    },
    minter: {
      mint: async (principal) => {
        minted.push(principal);
        return `token-${minted.length}`;
      },
    },
    ttlMs: () => state.ttlMs,
  });
  return {
    principals,
    asked,
    askedForKeys,
    minted,
    state,
    answerWith: (next: typeof answer) => {
      answer = next;
    },
  };
};

describe('principals', () => {
  test('when a session calls again, then identity is asked once and one token is signed', async () => {
    const { principals, asked, minted } = world();
    const token = claims('s1');
    const callers = [await principals.callerOf(token, '', 'app'), await principals.callerOf(token, '', 'app')];
    expect([await callers[0]?.authorization(), await callers[1]?.authorization()]).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect([asked.length, minted.length]).toEqual([1, 1]);
    expect(callers[0]?.principal).toMatchObject({ id: 'alice', tenantId: 't-acme', audience: 'app', mfaLevel: 1, sessionId: 's1' });
  });

  test('when an API key calls, then it is a service account of no session, asked for once for each key and secret', async () => {
    const { principals, askedForKeys } = world();
    const key = (secret: string) => ({ ...claims('k1', 'k1'), apiKeyHash: Buffer.from(secret) });
    const { principal } = await principals.callerOf(key('right'), '', 'org-admin');
    expect(principal).toMatchObject({ type: 'service-account', id: 'ci', sessionId: null, audience: 'org-admin' });
    await principals.callerOf(key('right'), '', 'app');
    expect(askedForKeys).toHaveLength(1);
    await principals.callerOf(key('wrong'), '', 'app');
    await principals.callerOf(claims('k1', 'k1'), '', 'app');
    expect(askedForKeys).toHaveLength(2);
    principals.dropSession('k1');
    await principals.callerOf(key('right'), '', 'app');
    expect(askedForKeys).toHaveLength(3);
  });

  test('when an API key ends while it is remembered, then it is asked for again', async () => {
    const { principals, askedForKeys, state } = world();
    state.keyEndsAt = Date.now() - 1;
    const key = { ...claims('k1'), apiKeyHash: Buffer.from('x') };
    await principals.callerOf(key, '', 'app');
    await principals.callerOf(key, '', 'app');
    expect(askedForKeys).toHaveLength(2);
  });

  test('when many call at once, then identity is asked once', async () => {
    const { principals, asked, minted } = world();
    const token = claims('s1');
    const callers = await Promise.all(Array.from({ length: 20 }, async () => principals.callerOf(token, '', 'app')));
    await Promise.all(callers.map(async (caller) => caller.authorization()));
    expect([asked.length, minted.length]).toEqual([1, 1]);
  });

  test('when tenant, session, organisations or audience differ, then so do the callers', async () => {
    const { principals, asked } = world();
    await principals.callerOf(claims('s1'), '', 'app');
    await principals.callerOf(claims('s1'), 'globex', 'app');
    await principals.callerOf(claims('s2'), '', 'app');
    await principals.callerOf(claims('s1', 'alice', { organization: { acme: {}, globex: {} } }), '', 'app');
    expect(asked.map(({ sessionId, tenant, organizations }) => [sessionId, tenant, organizations.join()])).toEqual([
      ['s1', '', 'acme'],
      ['s1', 'globex', 'acme'],
      ['s2', '', 'acme'],
      ['s1', '', 'acme,globex'],
    ]);
    const admin = await principals.callerOf(claims('s1'), '', 'org-admin');
    expect([admin.principal.audience, asked.length]).toEqual(['org-admin', 4]);
  });

  test('when a second factor was used, then the principal says so', async () => {
    const { principals } = world();
    const caller = await principals.callerOf(claims('s1', 'alice', { amr: ['pwd', 'otp'] }), '', 'app');
    expect(caller.principal.mfaLevel).toBe(2);
  });

  test('when identity knows that the second factor of a token does not count any more, then the principal is one without', async () => {
    const { principals, answerWith } = world();
    answerWith(async ({ subject }) => ({ ...person(subject), mfaLapsed: true }));
    expect((await principals.callerOf(claims('s1', 'alice', { acr: 'aal2', amr: ['pwd', 'otp'] }), '', 'app')).principal.mfaLevel).toBe(1);
  });

  test('when the answer is old, then identity is asked again, and the same answer keeps the signed token', async () => {
    const { principals, asked, minted, state, answerWith } = world();
    state.ttlMs = 0;
    const token = claims('s1');
    const first = await principals.callerOf(token, '', 'app');
    await first.authorization();
    expect(await principals.callerOf(token, '', 'app')).toBe(first);
    expect([asked.length, minted.length]).toEqual([2, 1]);
    answerWith(async () => person('alice', ['requester', 'approver']));
    const changed = await principals.callerOf(token, '', 'app');
    expect(changed.principal.orgRoles).toEqual(['requester', 'approver']);
    expect(await changed.authorization()).toBe('Bearer token-2');
  });

  test.each<[string, (principals: ReturnType<typeof createPrincipals>) => void, number]>([
    ['the session ends', (principals) => principals.dropSession('s1'), 2],
    ['another session ends', (principals) => principals.dropSession('s2'), 1],
    ['the user changes', (principals) => principals.dropUser('alice'), 2],
    ['another user changes', (principals) => principals.dropUser('bob'), 1],
    ['the tenant changes', (principals) => principals.dropTenant('t-acme'), 2],
    ['another tenant changes', (principals) => principals.dropTenant('t-globex'), 1],
    ['everything may have changed', (principals) => principals.dropAll(), 2],
  ])('when %s, then identity has been asked %s times', async (_, drop, times) => {
    const { principals, asked } = world();
    const token = claims('s1');
    await principals.callerOf(token, '', 'app');
    drop(principals);
    await principals.callerOf(token, '', 'app');
    expect(asked).toHaveLength(times);
  });

  test('when something changes while identity is asked, then its answer is not kept and the next call asks again', async () => {
    const { principals, asked, answerWith } = world();
    const token = claims('s1');
    let finish = (_: ResolvedPrincipal) => {};
    answerWith(() => new Promise((resolve) => (finish = resolve)));
    const early = principals.callerOf(token, '', 'app');
    const answerEarly = finish;
    principals.dropUser('alice');
    answerWith(async () => person('alice', []));
    const late = await principals.callerOf(token, '', 'app');
    answerEarly(person('alice', ['admin']));
    expect((await early).principal.orgRoles).toEqual(['admin']);
    expect(late.principal.orgRoles).toEqual([]);
    expect((await principals.callerOf(token, '', 'app')).principal.orgRoles).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  test('when identity refuses, then nothing is kept', async () => {
    const { principals, asked, answerWith } = world();
    answerWith(async () => Promise.reject(new Error('ended')));
    await expect(Promise.resolve(principals.callerOf(claims('s1'), '', 'app'))).rejects.toThrow('ended');
    await expect(Promise.resolve(principals.callerOf(claims('s1'), '', 'app'))).rejects.toThrow('ended');
    expect(asked).toHaveLength(2);
  });
});
