import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Platform, startPlatform } from '@accessops/dev';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** A platform of its own, since its parts are killed. */
describe('kill -9', () => {
  let platform: Platform;
  let token: Record<string, string>;
  let resources: string[];

  const call = async (method: string, path: string, as?: string, body?: unknown) => {
    const response = await fetch(`${platform.url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(as ? { authorization: `Bearer ${token[as]}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: (await response.json().catch(() => ({}))) as Record<string, unknown> & { items?: Record<string, unknown>[] },
    };
  };

  /** Calls until the answer is not that of a part that is just coming back. */
  const insist = async (method: string, path: string, as?: string, body?: unknown) => {
    const end = Date.now() + 60_000;
    for (;;) {
      const answer = await call(method, path, as, body).catch(() => ({
        status: 503,
        body: {} as Record<string, unknown> & { items?: Record<string, unknown>[] },
      }));
      if (answer.status !== 503 || Date.now() > end) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const until = async <T>(what: string, condition: () => Promise<T | false | undefined>, timeoutMs = 120_000): Promise<T> => {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const value = await condition();
      if (value) return value;
      if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  beforeAll(async () => {
    // What is slow for a moment is not down; what is killed refuses at once.
    process.env.DECISION_TIMEOUT_MS = '30000';
    platform = await startPlatform({ dataDir: mkdtempSync(join(tmpdir(), 'accessops-crash-')), port: 0, limits: false });
    token = {};
    for (const [name, audience] of [
      ['requester', 'app'],
      ['approver1', 'app'],
      ['approver2', 'app'],
      ['admin', 'org-admin'],
    ] as const) {
      const { body } = await call('POST', '/auth/login', undefined, {
        email: `${name}@acme.test`,
        password: 'accessops-demo-2026',
        audience,
      });
      token[name] = String(body.accessToken);
    }
    const type = await call('POST', '/org/resource-types', 'admin', {
      key: 'crash',
      name: 'Crash',
      connector: 'simulated',
      roles: ['reader'],
      sensitivity: 'high',
      maxDuration: 'P1D',
      config: { latencyMs: 300 },
    });
    resources = [];
    for (let index = 0; index < 24; index++) {
      const resource = await call('POST', '/org/resources', 'admin', {
        key: `crash-${index}`,
        name: `Crash ${index}`,
        resourceTypeId: type.body.id,
      });
      resources.push(String(resource.body.id));
    }
  });

  afterAll(() => platform?.stop());

  const victims = ['identity', 'requests', 'approvals', 'provisioner', 'audit', 'gateway'] as const;
  const moments = ['after filing', 'after the first vote', 'after the last vote', 'while provisioning'] as const;

  test.each(victims)(
    'when %s is killed at each step of the way, then every request ends active with one job, one grant and one audit event per change',
    async (victim) => {
      const round = victims.indexOf(victim) * moments.length;
      const requests: string[] = [];
      for (const [index, moment] of moments.entries()) {
        const filed = await insist('POST', '/requests', 'requester', {
          resourceId: resources[round + index],
          role: 'reader',
          justification: `killed ${moment}`,
          duration: 'PT4H',
        });
        expect(filed.status).toBe(201);
        const id = String(filed.body.id);
        requests.push(id);
        if (moment === 'after filing') platform.kill(victim, 'SIGKILL');
        expect([200, 409]).toContain((await insist('POST', `/requests/${id}/approve`, 'approver1', {})).status);
        if (moment === 'after the first vote') platform.kill(victim, 'SIGKILL');
        expect([200, 409]).toContain((await insist('POST', `/requests/${id}/approve`, 'approver2', {})).status);
        if (moment === 'after the last vote') platform.kill(victim, 'SIGKILL');
        if (moment === 'while provisioning') {
          await until('provisioning', async () =>
            ['PROVISIONING', 'ACTIVE'].includes(String((await insist('GET', `/requests/${id}`, 'requester')).body.status)),
          );
          platform.kill(victim, 'SIGKILL');
        }
      }
      for (const id of requests) {
        const active = await until(`${id} active`, async () => {
          const { body } = await insist('GET', `/requests/${id}`, 'requester');
          return body.status === 'ACTIVE' && body;
        });
        const jobs = await insist('GET', `/org/jobs?filter[requestId][eq]=${id}`, 'admin');
        expect(jobs.body.items).toHaveLength(1);
        const grants = await insist('GET', `/org/grants?filter[requestId][eq]=${id}`, 'admin');
        expect(grants.body.items).toHaveLength(1);
        const actionsOf = async (entityId: unknown) =>
          ((await insist('GET', `/org/audit?filter[entityId][eq]=${entityId}&limit=200`, 'admin')).body.items ?? []).map(({ action }) =>
            String(action),
          );
        const recorded = async () =>
          [...(await actionsOf(id)), ...(await actionsOf(active.jobId)), ...(await actionsOf(active.grantId))].filter(
            // Word of the queued job may come after that of the active grant: then the request was never seen provisioning.
            (action) => !/RESUMED|RETRY|REQUEST_PROVISIONING/.test(action),
          );
        // What was with the killed process comes again only when its time to acknowledge is over.
        await until('audited', async () => (await recorded()).length >= 9);
        const actions = await recorded();
        expect(actions.sort()).toEqual(
          [
            'DECISION_RECORDED',
            'DECISION_RECORDED',
            'GRANT_ACTIVATED',
            'JOB_QUEUED',
            'JOB_STARTED',
            'JOB_SUCCEEDED',
            'REQUEST_ACTIVATED',
            'REQUEST_APPROVED',
            'REQUEST_CREATED',
          ].sort(),
        );
      }
      expect((await insist('GET', '/org/audit/verify', 'admin')).body).toMatchObject({ ok: true });
    },
  );
});
