import { setTimeout as delay } from 'node:timers/promises';
import type { Platform } from '@accessops/dev';
import { fileAndApprove, timeToActive } from './activation.ts';
import { load, loop, type Measured, summarize, timeUntil } from './load.ts';
import { residentMiB } from './memory.ts';
import { measurePostgres } from './postgres-limit.ts';
import { figure, line } from './print.ts';
import { call, differentRequests, prepare } from './scenario.ts';

const seconds = 8;

/** From a request to its grant: reads, writes, and everything that follows an approval, beside what PostgreSQL and Hono could do here. */
export const measureCorePath = async (platform: Platform, hono: Measured, connections: number): Promise<void> => {
  // Starting leaves garbage, which is collected once nothing is asked.
  await delay(10_000);
  const memoryAtRest = Object.entries(platform.pids()).map(([name, pid]) => [name, residentMiB(pid)] as const);
  const limit = await measurePostgres(platform.adminUrl, { clients: 20, seconds: 5 });
  const scenario = await prepare(platform.url);
  const { url } = platform;
  const next = differentRequests(scenario);

  const first = next();
  const sample = await call(url, 'POST', '/requests', first.token, first.body, 201);

  const latencies: number[] = [];
  for (let round = 0; round < 60; round++) {
    latencies.push(await timeToActive(scenario, next()));
  }
  const activation = summarize(latencies.slice(10), 1);

  const reads = await load({ url: `${url}/api/v1/requests/${sample.id}`, connections, seconds, token: first.token });
  const writes = await load({
    url: `${url}/api/v1/requests`,
    method: 'POST',
    connections,
    seconds,
    next: () => {
      const { token, body } = next();
      return { token, body: JSON.stringify(body) };
    },
  });
  const settled = async () => {
    const [newest] = (await call(url, 'GET', '/org/jobs?filter[status][in]=QUEUED,RUNNING&limit=1', scenario.admin, undefined, 200))
      .items as unknown[];
    return newest === undefined;
  };
  await timeUntil(settled, 100, 120_000);

  const filed: string[] = [];
  const pairs = await loop(32, seconds, async () => {
    filed.push((await fileAndApprove(scenario, next())).id);
  });
  const last = filed.at(-1);
  const jobsBehind = await timeUntil(
    async () => {
      const active = await call(url, 'GET', `/requests/${last}`, scenario.admin, undefined, 200);
      return active.status === 'ACTIVE' && (await settled());
    },
    50,
    120_000,
  );
  const auditBehind = await timeUntil(
    async () => {
      const events = await call(url, 'GET', `/org/audit?filter[entityId][eq]=${last}&limit=200`, scenario.admin, undefined, 200);
      return (events.items as { action: string }[]).some(({ action }) => action === 'REQUEST_ACTIVATED');
    },
    50,
    120_000,
  );
  const memoryAfter = new Map(Object.entries(platform.pids()).map(([name, pid]) => [name, residentMiB(pid)]));

  console.log(
    `\nlimits, measured in this run (PostgreSQL by ${limit.by === 'pgbench' ? 'pgbench' : 'the bare driver with prepared statements: pgbench is not on PATH'})`,
  );
  line('bare Hono', hono);
  console.log(`${'one row by key'.padEnd(34)} ${figure(limit.readsPerSecond).padStart(8)}/s`);
  console.log(`${'five-statement write'.padEnd(34)} ${figure(limit.writesPerSecond).padStart(8)}/s`);
  console.log(`\nAccessOps, ${connections} connections, separate processes`);
  line(
    'GET /requests/{id}',
    reads,
    `   ${figure(reads.perSecond / hono.perSecond)} of Hono, ${figure(reads.perSecond / limit.readsPerSecond)} of PostgreSQL (mark: ≥ 0.05 of Hono)`,
  );
  line('POST /requests', writes, `   ${figure(writes.perSecond / limit.writesPerSecond)} of PostgreSQL (mark: ≥ 0.15)`);
  line('create + approve, 32 clients', pairs, '   (mark: ≥ 150/s)');
  console.log(`${'  when that stops'.padEnd(34)} jobs done after ${figure(jobsBehind)} ms, audit after ${figure(auditBehind)} ms more`);
  console.log(
    `${'approve → ACTIVE at rest'.padEnd(34)} p50 ${figure(activation.p50)}  p95 ${figure(activation.p95)} ms   (mark: p95 ≤ 150 ms)`,
  );
  console.log('\nresident memory, MiB: at rest / after the load   (mark: ≤ 150 per service at rest)');
  for (const [name, atRest] of memoryAtRest)
    console.log(`${`  ${name}`.padEnd(34)} ${figure(atRest).padStart(8)} / ${figure(memoryAfter.get(name) ?? Number.NaN)}`);
};
