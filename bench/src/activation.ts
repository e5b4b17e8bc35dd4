import { timeUntil } from './load.ts';
import { call, type Scenario } from './scenario.ts';

/** Files a request and approves it, with one vote. */
export interface Pair {
  token: string;
  body: Record<string, unknown>;
}

/** Files and approves; answers the request's id, and the milliseconds that the vote took. */
export const fileAndApprove = async ({ url, approver }: Scenario, { token, body }: Pair): Promise<{ id: string; voteMs: number }> => {
  const { id } = await call(url, 'POST', '/requests', token, body, 201);
  const from = performance.now();
  await call(url, 'POST', `/requests/${id}/approve`, approver, {}, 200);
  return { id: String(id), voteMs: performance.now() - from };
};

/** Milliseconds from the vote that approves until the request is ACTIVE, looked at every 2 ms. */
export const timeToActive = async (scenario: Scenario, pair: Pair): Promise<number> => {
  const { id, voteMs } = await fileAndApprove(scenario, pair);
  const isActive = async () => (await call(scenario.url, 'GET', `/requests/${id}`, pair.token, undefined, 200)).status === 'ACTIVE';
  return voteMs + (await timeUntil(isActive, 2));
};
