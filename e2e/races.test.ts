import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, codeOf, decide, file, filed, grantsOf, type Item, must, type Person, pool, reaches, Tenant, until } from './client.ts';

// What races here has nothing to do with who keeps passwords: with a real Keycloak a tenth is enough to see that.
const times = (count: number) => (inject('provider') === 'local' ? count : count / 10);

describe('races', () => {
  let tenant: Tenant;
  let requester: Person;
  let approver1: Person;
  let approver2: Person;
  let one: Item;
  let two: Item;

  beforeAll(async () => {
    tenant = await Tenant.create('race');
    requester = await tenant.person('requester', ['requester']);
    approver1 = await tenant.person('approver1', ['approver']);
    approver2 = await tenant.person('approver2', ['approver']);
    one = await tenant.type({ sensitivity: 'medium' });
    two = await tenant.type({ sensitivity: 'high' });
  });

  const requests = async (type: Item, count: number): Promise<Item[]> =>
    pool(await tenant.resources(type.id, count), 8, (resource) => filed(requester, resource.id));

  test(`when approve and reject meet ${times(200)} times, then each request has one outcome and the other vote is refused`, async () => {
    const results = await pool(await requests(one, times(200)), 6, async (request) => {
      const [approve, reject] = await Promise.all([decide(approver1, request.id), decide(approver2, request.id, 'reject')]);
      return { request, approve, reject };
    });
    for (const { approve, reject } of results) {
      expect([approve.status, reject.status].sort()).toEqual([200, 409]);
      expect(codeOf(approve.status === 409 ? approve : reject)).toBe('REQUEST_NOT_PENDING');
    }
    await pool(results, 6, async ({ request, approve }) => {
      await reaches(requester, request.id, approve.status === 200 ? 'ACTIVE' : 'REJECTED');
      expect(await grantsOf(requester, request.id)).toHaveLength(approve.status === 200 ? 1 : 0);
    });
  });

  test(`when two approvals meet ${times(100)} times, then one counts and there is one job and one grant`, async () => {
    const results = await pool(await requests(one, times(100)), 6, async (request) => {
      const answers = await Promise.all([decide(approver1, request.id), decide(approver2, request.id)]);
      return { request, answers };
    });
    for (const { answers } of results) expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await pool(results, 6, async ({ request }) => {
      await reaches(requester, request.id, 'ACTIVE');
      expect(await grantsOf(requester, request.id)).toHaveLength(1);
      const jobs = (await must(200, 'GET', `/org/jobs?filter[requestId][eq]=${request.id}`, { token: tenant.admin.token })).items;
      expect(jobs).toHaveLength(1);
    });
  });

  test(`when cancel meets the last approval ${times(50)} times, then exactly one of them wins`, async () => {
    const all = await requests(two, times(50));
    await pool(all, 6, async (request) => expect((await decide(approver1, request.id)).status).toBe(200));
    const results = await pool(all, 4, async (request) => {
      const [cancel, approve] = await Promise.all([
        call('POST', `/requests/${request.id}/cancel`, { token: requester.token, body: {} }),
        decide(approver2, request.id),
      ]);
      return { request, cancel, approve };
    });
    for (const { cancel, approve } of results) expect([cancel.status, approve.status].sort()).toEqual([200, 409]);
    await pool(results, 6, async ({ request, cancel }) => {
      await reaches(requester, request.id, cancel.status === 200 ? 'CANCELLED' : 'ACTIVE');
      expect(await grantsOf(requester, request.id)).toHaveLength(cancel.status === 200 ? 0 : 1);
    });
  });

  test('when the same request is filed 8 times at once, then one is filed', async () => {
    const [resource] = await tenant.resources(one.id, 1);
    const answers = await Promise.all(Array.from({ length: 8 }, () => file(requester, String(resource?.id))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) expect(codeOf(answer)).toBe('REQUEST_ALREADY_OPEN');
  });

  test('when one person approves 100 times at once, then it counts once', async () => {
    const [request] = await requests(two, 1);
    const id = String(request?.id);
    const answers = await Promise.all(Array.from({ length: 100 }, () => decide(approver1, id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect([answer.status, codeOf(answer)]).toEqual([409, 'ALREADY_DECIDED']);
    const approval = await must(200, 'GET', `/approvals/${id}`, { token: approver1.token });
    expect(approval).toMatchObject({ approvals: 1, requiredApprovals: 2, status: 'PENDING' });
  });

  test('when a refresh token is used 20 times at once, then at most one use wins and the session is over', async () => {
    const { refreshToken } = await tenant.signIn(requester);
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/auth/refresh', { body: { refreshToken } })));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners.length).toBeLessThanOrEqual(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect([answer.status, codeOf(answer)]).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    for (const winner of winners) {
      await until(
        'the family is revoked',
        async () => (await call('GET', '/me', { token: String(winner.body.accessToken) })).status === 401,
      );
      expect((await call('POST', '/auth/refresh', { body: { refreshToken: winner.body.refreshToken } })).status).toBe(401);
    }
  });

  test('when a credential is read 10 times at once, then one read succeeds', async () => {
    const low = await tenant.type({ sensitivity: 'low' });
    const [resource] = await tenant.resources(low.id, 1);
    const request = await filed(requester, String(resource?.id), { duration: 'PT10M' });
    const { grantId } = await reaches(requester, request.id, 'ACTIVE');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call('POST', `/grants/${grantId}/credential`, { token: requester.token, body: {} })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 410)]);
  });
});
