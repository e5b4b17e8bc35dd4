import { createStackParser, createTransport, type Event, Scope, type Transport } from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import type { ErrorReports, ErrorReportsConfig } from './error-reports.ts';
import { scrub } from './scrub.ts';

// Fields of log lines that are ids or names of ours.
const told = [
  'request_id',
  'trace_id',
  'tenant',
  'access_request_id',
  'route',
  'rpc',
  'event',
  'event_id',
  'job_id',
  'kind',
  'attempt',
  'attempts',
  'outcome',
];

const sendTimeoutMs = 5000;
const lastFlushMs = 1500;

/** Of an event only what is named here is sent: no headers, bodies, people, machines or values. */
const scrubbed = ({ event_id, timestamp, platform, level, release, environment, tags, exception, type, message }: Event): Event => ({
  event_id,
  timestamp,
  platform,
  level,
  release,
  environment,
  tags,
  type,
  ...(message && { message: scrub(message) }),
  ...(exception && {
    exception: {
      values: exception.values?.map(({ type: name, value, mechanism, stacktrace }) => ({
        type: name,
        value: value && scrub(value),
        mechanism: mechanism && { type: mechanism.type, handled: mechanism.handled },
        stacktrace: stacktrace && {
          frames: stacktrace.frames?.map(({ filename, function: called, lineno, colno, in_app }) => ({
            filename,
            function: called,
            lineno,
            colno,
            in_app,
          })),
        },
      })),
    },
  }),
});

const transportTo = (options: Parameters<typeof createTransport>[0] & { url: string; headers?: Record<string, string> }): Transport =>
  createTransport(options, async ({ body }) => {
    const { status, headers } = await fetch(options.url, {
      method: 'POST',
      body: Buffer.from(body as Uint8Array),
      headers: options.headers,
      signal: AbortSignal.timeout(sendTimeoutMs),
    });
    const limits = { 'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'), 'retry-after': headers.get('retry-after') };
    return { statusCode: status, headers: limits };
  });

/** A client of Sentry's own core: none of its instrumentation is loaded, so that it knows nothing but what it is told. */
export const createSentryReports = (service: string, { dsn, environment, commitSha }: ErrorReportsConfig): ErrorReports => {
  const client = new ServerRuntimeClient({
    dsn,
    environment,
    release: commitSha,
    platform: 'node',
    integrations: [],
    traceLifecycle: 'static',
    sendClientReports: false,
    stackParser: createStackParser(nodeStackLineParser()),
    transport: transportTo,
    beforeSend: (event) => scrubbed(event) as typeof event,
  });
  client.init();
  const report: ErrorReports['report'] = (error, about) => {
    const scope = new Scope();
    scope.setTag('service', service);
    for (const name of told) {
      const value = about[name];
      if (typeof value === 'string' || typeof value === 'number') scope.setTag(name, value);
    }
    client.captureException(error, {}, scope);
  };
  const crash = (error: unknown) => {
    report(error, {});
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    void client.flush(lastFlushMs).then(() => process.exit(1));
  };
  return {
    report,
    reportCrashes: () => {
      process.once('uncaughtException', crash);
    },
    close: async () => {
      process.off('uncaughtException', crash);
      await client.flush(lastFlushMs);
    },
  };
};
