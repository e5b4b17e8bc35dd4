import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Platform, processEnvironments, root } from '@accessops/dev';
import pg from 'pg';
import { fileAndApprove, type Pair, timeToActive } from './activation.ts';
import { type Measured, summarize, timeUntil } from './load.ts';
import { residentMiB } from './memory.ts';
import { figure, line } from './print.ts';
import { differentRequests, prepare, type Scenario } from './scenario.ts';
import { seedJobs } from './seed-jobs.ts';

const grants = 10_000;
const jobsOfOneRun = 3000;

/** Another instance of the provisioner, beside the platform's own. */
const startSecond = ({ ports, secrets, dataDir }: Platform): ChildProcess => {
  const { provisioner } = processEnvironments(ports, secrets, {
    mailDirectory: join(dataDir, 'mail'),
    filesDirectory: join(dataDir, 'files'),
  });
  const env = { ...provisioner, LISTEN: '127.0.0.1:0', LOG_LEVEL: 'warn' };
  return spawn(process.execPath, [join(root, 'services', 'provisioner', 'main.ts')], { env, stdio: 'ignore' });
};

const countOf = async (database: pg.Client, text: string): Promise<number> => Number((await database.query(text)).rows[0].count);

const unfinished = `select count(*) from provisioner.job where status in ('QUEUED', 'RUNNING')`;

/** Jobs per second from when they are all there until the last is done. */
const runJobs = async (database: pg.Client, like: string, count: number): Promise<number> => {
  await seedJobs(database, like, count);
  const ms = await timeUntil(async () => (await countOf(database, unfinished)) === 0, 20, 180_000);
  return (count / ms) * 1000;
};

/** What votes take while `meanwhile` goes on, one after the other. */
const votesDuring = async (scenario: Scenario, next: () => Pair, meanwhile: Promise<unknown>): Promise<Measured & { worst: number }> => {
  const latencies: number[] = [];
  let over = false;
  const ending = meanwhile.finally(() => {
    over = true;
  });
  const from = performance.now();
  while (!over) {
    latencies.push((await fileAndApprove(scenario, next())).voteMs);
    await delay(50);
  }
  await ending;
  return { ...summarize(latencies, (performance.now() - from) / 1000), worst: Math.max(...latencies) };
};

/** approve → ACTIVE of every tenth of 50 pairs per second, which start whether or not those before have ended. */
const activationUnderLoad = async (scenario: Scenario, next: () => Pair, seconds: number): Promise<Measured> => {
  const followed: Promise<number>[] = [];
  const others: Promise<unknown>[] = [];
  const from = performance.now();
  for (let count = 0; count < 50 * seconds; count++) {
    if (count % 10 === 0) followed.push(timeToActive(scenario, next()));
    else others.push(fileAndApprove(scenario, next()));
    await delay(Math.max(0, from + count * 20 - performance.now()));
  }
  const results = await Promise.allSettled(followed);
  const failures = [...results, ...(await Promise.allSettled(others))].filter(({ status }) => status === 'rejected');
  const latencies = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return summarize(latencies, seconds, failures.length);
};

const measureLatency = async (scenario: Scenario, next: () => Pair) => {
  const latencies: number[] = [];
  for (let round = 0; round < 110; round++) latencies.push(await timeToActive(scenario, next()));
  line('approve → ACTIVE at rest', summarize(latencies.slice(10), 1), '   (mark: p95 ≤ 150 ms)');
  // Once before it counts: what has just started is slow.
  await activationUnderLoad(scenario, next, 10);
  line('  under 50 pairs per second', await activationUnderLoad(scenario, next, 10));
};

const measureWorkers = async (platform: Platform, database: pg.Client, like: string) => {
  await runJobs(database, like, jobsOfOneRun / 3);
  const one = await runJobs(database, like, jobsOfOneRun);
  console.log(`${'jobs, one worker'.padEnd(34)} ${figure(one).padStart(8)}/s   (mark: ≥ 300/s)`);
  const second = startSecond(platform);
  try {
    await delay(3000);
    const two = await runJobs(database, like, jobsOfOneRun);
    console.log(`${'jobs, two workers'.padEnd(34)} ${figure(two).padStart(8)}/s`);
  } finally {
    second.kill('SIGTERM');
    await once(second, 'exit');
  }
};

const measureExpiry = async (platform: Platform, database: pg.Client, like: string, scenario: Scenario, next: () => Pair) => {
  const active = `select count(*) from provisioner.access_grant where status in ('ACTIVE', 'REVOKING', 'REVOKE_FAILED') and expires_at <= now()`;
  const missing = grants - (await countOf(database, `select count(*) from provisioner.access_grant where status = 'ACTIVE'`));
  await runJobs(database, like, Math.max(missing, 0));
  // What follows from these is told before anything else is measured.
  await delay(5000);
  const atRest = await votesDuring(scenario, next, delay(10_000));
  line('a vote at rest', atRest);
  const pid = platform.pids().provisioner ?? 0;
  let peak = residentMiB(pid);
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMiB(pid));
  }, 500);
  await database.query(
    `update provisioner.access_grant set expires_at = now() where id in
       (select id from provisioner.access_grant where status = 'ACTIVE' order by activated_at limit $1)`,
    [grants],
  );
  const ending = timeUntil(async () => (await countOf(database, active)) === 0, 100, 300_000);
  const meanwhile = await votesDuring(scenario, next, ending);
  clearInterval(sampling);
  console.log(
    `${`${figure(grants)} grants that expire at once`.padEnd(34)} the last is revoked after ${figure((await ending) / 1000)} s   (mark: ≤ 90 s)`,
  );
  line('  a vote meanwhile', meanwhile, `   worst ${figure(meanwhile.worst)} ms (mark: ≤ ${figure(2 * atRest.p95)} ms)`);
  console.log(`${'  memory of the provisioner'.padEnd(34)} up to ${figure(peak)} MiB`);
};

/** The provisioner with the simulated connector: how soon access is there, how many jobs it does, and what a flood of expiries does to others. */
export const measureJobs = async (platform: Platform): Promise<void> => {
  const scenario = await prepare(platform.url);
  const next = differentRequests(scenario);
  const database = new pg.Client({ connectionString: platform.adminUrl });
  await database.connect();
  console.log('\njobs, separate processes');
  try {
    const { id } = await fileAndApprove(scenario, next());
    await timeUntil(async () => (await countOf(database, unfinished)) === 0, 20);
    await measureLatency(scenario, next);
    await measureWorkers(platform, database, id);
    await measureExpiry(platform, database, id, scenario, next);
  } finally {
    await database.end();
  }
};
