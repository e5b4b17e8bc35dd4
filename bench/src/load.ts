import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';

/** What a load run found. Latencies in milliseconds. */
export interface Measured {
  perSecond: number;
  p50: number;
  p95: number;
  p99: number;
  errors: number;
}

const percentile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

/** Percentiles of latencies that were taken one by one. */
export const summarize = (latencies: number[], seconds: number, errors = 0): Measured => {
  const sorted = [...latencies].sort((a, b) => a - b);
  return {
    perSecond: latencies.length / seconds,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    errors,
  };
};

export interface LoadOptions {
  url: string;
  connections: number;
  seconds: number;
  token?: string;
  method?: 'GET' | 'POST';
  /** Makes the body and headers of each call. */
  next?: () => { body: string; token: string };
}

/** What a server does in its first seconds is to compile what it needs often: that is not measured. */
const warmUpSeconds = 8;

/** Loads one address from a number of connections that each wait for their answer; the time before it is warm is not counted. */
export const load = async (options: LoadOptions): Promise<Measured> => {
  await run({ ...options, seconds: warmUpSeconds });
  return run(options);
};

const run = async ({ url, connections, seconds, token, method = 'GET', next }: LoadOptions): Promise<Measured> => {
  const latencies: number[] = [];
  let errors = 0;
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const call = next?.();
    return call ? { ...request, body: call.body, headers: { ...headers, authorization: `Bearer ${call.token}` } } : request;
  };
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const options = { url, method, connections, duration: seconds, headers, ...(next ? { requests: [{ setupRequest }] } : {}) };
    const cannon = autocannon(options, (error) => (error ? reject(error as Error) : resolve()));
    cannon.on('response', (_client, status, _bytes, responseTime) => {
      latencies.push(responseTime);
      if (status >= 400) errors++;
    });
  });
  return summarize(latencies, (performance.now() - startedAt) / 1000, errors);
};

/** Runs `step` again and again from `clients` loops until the time is over; answers how often it ended. Warms up first. */
export const loop = async (clients: number, seconds: number, step: () => Promise<void>): Promise<Measured> => {
  await rounds(clients, warmUpSeconds, step);
  return rounds(clients, seconds, step);
};

const rounds = async (clients: number, seconds: number, step: () => Promise<void>): Promise<Measured> => {
  const end = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < end) {
        const from = performance.now();
        await step();
        latencies.push(performance.now() - from);
      }
    }),
  );
  return summarize(latencies, (performance.now() - startedAt) / 1000);
};

/** Waits until `condition` holds; answers the milliseconds that took. */
export const timeUntil = async (condition: () => Promise<boolean>, stepMs: number, timeoutMs = 60_000): Promise<number> => {
  const from = performance.now();
  while (!(await condition())) {
    if (performance.now() - from > timeoutMs) throw new Error(`not within ${timeoutMs} ms`);
    await delay(stepMs);
  }
  return performance.now() - from;
};
