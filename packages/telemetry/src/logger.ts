import { type Logger, type LoggerOptions as PinoOptions, pino } from 'pino';
import type { ErrorReports } from './error-reports.ts';

export type { Logger } from 'pino';

const secretNames = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'access_token',
  'refresh_token',
  'credential',
  'secret',
  'authorization',
  'cookie',
  'set-cookie',
  'privateKey',
  'jwe',
];

// What a database adds to its refusal: values of the row, or the statement.
const databaseDetails = ['detail', 'where', 'internalQuery', 'query', 'parameters'].map((name) => `err.${name}`);

/** Paths that are never written to a log, at the top and one or two levels down. */
const redactPaths = [...secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]), ...databaseDetails];

/** An error for the log. Database libraries put the values of a refused row into the message, too: they are taken out. */
const withoutValues = (error: Error) => {
  const written = pino.stdSerializers.err(error);
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { detail } = at as { detail?: unknown };
    if (typeof detail !== 'string' || detail === '') continue;
    written.message = written.message.replaceAll(detail, '[redacted]');
    written.stack = written.stack.replaceAll(detail, '[redacted]');
  }
  return written;
};

const errorLevel = 50;

const isOutage = (error: unknown): boolean => (error as { kind?: unknown } | undefined)?.kind === 'unavailable';

/** Has every error that is logged as one reported, unless something that is needed is away: that is bound to happen. */
const reporting = (report: ErrorReports['report']): PinoOptions['hooks'] => ({
  logMethod(args, write, level) {
    const about = args[0] as Record<string, unknown> | undefined;
    if (level >= errorLevel && about?.err && !isOutage(about.err)) report(about.err, { ...this.bindings(), ...about });
    write.apply(this, args);
  },
});

/** JSON logs on standard output; `service` stands on every line, secrets are replaced by `[redacted]`. Errors go to `report` as well. */
export const createLogger = (
  service: string,
  level = 'info',
  destination?: NodeJS.WritableStream,
  report?: ErrorReports['report'],
): Logger => {
  const options: PinoOptions = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: withoutValues },
    redact: { paths: redactPaths, censor: '[redacted]' },
    ...(report && { hooks: reporting(report) }),
  };
  // A write for every line costs more than the line: they are gathered, for a tenth of a second at most, and written at exit.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 }));
};
