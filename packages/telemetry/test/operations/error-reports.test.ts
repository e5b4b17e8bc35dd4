import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Sentry, startSentry, until } from '@accessops/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger, type ErrorReports, openErrorReports } from '../../src/index.ts';

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

const secret = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMQ';
const person = 'una.user@acme.test';

describe('errors', () => {
  let sentry: Sentry;
  let reports: ErrorReports | undefined;
  beforeEach(async () => {
    sentry = await startSentry();
    reports = await openErrorReports('requests', { dsn: sentry.dsn, environment: 'staging', commitSha: 'abc123' });
  });
  afterEach(() => sentry.close());
  const logging = () => createLogger('requests', 'info', nowhere(), reports?.report);
  /** What has been told, once it is so much with one last error behind it: a stop waits for a moment only, which may not be enough here. */
  const told = async (count: number) => {
    logging().error({ err: new Error('the last one') }, 'x');
    await reports?.close();
    await until(() => sentry.events.length > count, { what: `${count} errors and the last one at Sentry` });
    return sentry.events.filter((event) => !JSON.stringify(event).includes('the last one'));
  };

  test('when an error is logged as one, then Sentry is told what, where and by which release', async () => {
    const error = new TypeError("Cannot read properties of undefined (reading 'tenantId')");
    logging()
      .child({ route: '/api/v1/requests' })
      .error({ err: error, request_id: 'r-1', trace_id: 't-1', tenant: 'tenant-1', rpc: 'SubmitRequest' }, 'failed');
    expect(await told(1)).toEqual([
      expect.objectContaining({
        release: 'abc123',
        environment: 'staging',
        level: 'error',
        tags: {
          service: 'requests',
          request_id: 'r-1',
          trace_id: 't-1',
          tenant: 'tenant-1',
          rpc: 'SubmitRequest',
          route: '/api/v1/requests',
        },
        exception: {
          values: [
            expect.objectContaining({
              type: 'TypeError',
              value: error.message,
              stacktrace: {
                frames: expect.arrayContaining([expect.objectContaining({ filename: expect.stringContaining('error-reports.test.ts') })]),
              },
            }),
          ],
        },
      }),
    ]);
  });

  test('when an error and what is logged with it are full of secrets and people, then none of it is sent', async () => {
    const error = Object.assign(new Error(`duplicate key: Key (email)=(${person}) already exists, token "${secret}" from 203.0.113.9`), {
      detail: `Key (email)=(${person})`,
      parameters: [secret],
      config: { headers: { authorization: `Bearer ${secret}` }, body: { password: 'hunter2-hunter2' } },
      cause: new Error(`nats://app:hunter2-hunter2@broker.internal refused ${person}`),
    });
    logging().error(
      {
        err: error,
        request_id: 'r-2',
        headers: { cookie: secret },
        body: { password: 'hunter2-hunter2' },
        actor: person,
        ip: '203.0.113.9',
      },
      `what ${person} has sent`,
    );
    const [event, ...more] = await told(1);
    expect(more).toEqual([]);
    for (const hidden of [secret, person, 'hunter2', '203.0.113.9', 'cookie', 'authorization', 'password'])
      expect(sentry.raw()).not.toContain(hidden);
    expect(event).not.toHaveProperty('server_name');
    expect(event).not.toHaveProperty('request');
    expect(event).not.toHaveProperty('user');
    expect(event).not.toHaveProperty('breadcrumbs');
  });

  test('when it is a warning, or something needed is away, then nobody is told', async () => {
    logging().warn({ err: new Error('not so bad') }, 'x');
    logging().error({ err: Object.assign(new Error('away'), { kind: 'unavailable' }) }, 'x');
    logging().error('without an error');
    expect(await told(0)).toEqual([]);
  });
});

test('when Sentry never answers, then logging goes on and the stop waits a moment only', async () => {
  const deaf = await startSentry({ deaf: true });
  const stopsSoon = async () => {
    const reports = await openErrorReports('audit', { dsn: deaf.dsn, commitSha: 'abc123' });
    const log = createLogger('audit', 'info', nowhere(), reports?.report);
    for (let n = 0; n < 500; n++) log.error({ err: new Error(`failure ${n}`) }, 'x');
    const later = delay(4000, 'later', { ref: false });
    return (await Promise.race([reports?.close(), later])) !== 'later';
  };
  // Again where the machine stood still: what waits for an answer is never sooner.
  expect(await until(stopsSoon)).toBe(true);
  await deaf.close();
});

/** Runs a module of ours as a process of its own. */
const runModule = async (code: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'error-reports-'));
  const module = join(folder, 'main.ts');
  await writeFile(module, code.replaceAll('TELEMETRY', new URL('../../src/index.ts', import.meta.url).href));
  const child = spawn(process.execPath, [module], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [exitCode] = (await once(child, 'close')) as [number];
  await rm(folder, { recursive: true });
  return { exitCode, output };
};

test('when a process crashes, then Sentry is told before it ends with 1', async () => {
  const sentry = await startSentry();
  const crash = () =>
    runModule(`
    import { openErrorReports } from 'TELEMETRY';
    const reports = await openErrorReports('identity', { dsn: '${sentry.dsn}', commitSha: 'abc123' });
    reports.reportCrashes();
    setInterval(() => {}, 1000);
    setTimeout(() => { void Promise.reject(new RangeError('nobody caught it')); }, 10);
  `);
  // It waits for Sentry a moment only, in which a busy machine may do something else.
  while (sentry.events.length === 0) {
    const { exitCode, output } = await crash();
    expect(exitCode).toBe(1);
    expect(output).toContain('nobody caught it');
  }
  expect(sentry.events).toEqual([
    expect.objectContaining({ exception: { values: [expect.objectContaining({ type: 'RangeError', value: 'nobody caught it' })] } }),
  ]);
  await sentry.close();
});

test('when nothing is configured, then neither OpenTelemetry nor Sentry is loaded', async () => {
  const { exitCode, output } = await runModule(`
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { if (/@opentelemetry\\/(?!api\\/)|@sentry/.test(url)) loaded.push(url); return next(url, context); } });
    const { createLogger, openErrorReports, openTracing } = await import('TELEMETRY');
    const log = createLogger('audit', 'info');
    await openErrorReports('audit', undefined);
    await openTracing('audit', undefined, log);
    console.log(JSON.stringify({ unset: loaded.length }));
    const tracer = await openTracing('audit', { endpoint: 'http://127.0.0.1:9', sampler: 'always_off', ratio: 1, commitSha: 'x' }, log);
    console.log(JSON.stringify({ set: loaded.length > 0 }));
    await tracer.close();
  `);
  expect(output).toContain('{"unset":0}');
  expect(output).toContain('{"set":true}');
  expect(exitCode).toBe(0);
});
