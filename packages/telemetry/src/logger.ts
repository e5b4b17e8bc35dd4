import { type Logger, type LoggerOptions as PinoOptions, pino } from 'pino';
import type { ErrorReports } from './error-reports.ts';

export type { Logger } from 'pino';

const secretNames = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'sessionToken',
  'credential',
  'credentials',
  'secret',
  'clientSecret',
  'secretKey',
  'secretAccessKey',
  'authorization',
  'cookie',
  'setCookie',
  'apiKey',
  'privateKey',
  'totp',
  'recoveryCode',
  'recoveryCodes',
  'jwe',
];
const secretKeys = new Set(secretNames.map((name) => name.toLowerCase()));
const redacted = '[redacted]';
// Nothing that is worth reading stands deeper; it ends circles as well.
const deepest = 8;

/** Whether a field is never written, however its name is spelt: `refresh_token`, `Set-Cookie`. */
const isSecret = (name: string): boolean => secretKeys.has(name.replaceAll(/[-_]/g, '').toLowerCase());

/** A name as paths of pino name it: as it is, `with_underscores` and `with-hyphens`. */
const spellings = (name: string): string[] =>
  ['_', '-', ''].map((mark) => `["${name.replaceAll(/[A-Z]/g, (letter) => (mark && mark + letter.toLowerCase()) || letter)}"]`);

// Libraries hang whole requests, rows and statements on their errors.
const errorFields = [
  'code',
  'kind',
  'status',
  'syscall',
  'address',
  'port',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
] as const;

/** An error as it is written: what it says, where it came from, and what caused it. */
const writtenError = (error: Error, depth: number): Record<string, unknown> => {
  const { detail } = error as { detail?: unknown };
  // Database libraries put the values of a refused row into the message, too.
  const plain = (text: string) => (typeof detail === 'string' && detail !== '' ? text.replaceAll(detail, redacted) : text);
  const fields = errorFields.flatMap((name) => {
    const value = (error as Partial<Record<typeof name, unknown>>)[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [];
  });
  return {
    type: error.name,
    message: plain(error.message),
    stack: plain(error.stack ?? ''),
    ...Object.fromEntries(fields),
    ...(error.cause !== undefined && { cause: written(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: written(error.errors, depth + 1) }),
  };
};

/** A value without its secrets, at whatever depth. */
const written = (value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return '[deep]';
  if (value instanceof Error) return writtenError(value, depth);
  if (Array.isArray(value)) return value.map((item) => written(item, depth + 1));
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if ('toJSON' in value && typeof value.toJSON === 'function') return written(value.toJSON(), depth + 1);
  return fieldsOf(value, depth);
};

const fieldsOf = (value: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([name, field]) => [name, isSecret(name) ? redacted : written(field, depth + 1)]));

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
    formatters: { level: (label: string) => ({ level: label }), log: (fields) => fieldsOf(fields) },
    // What a child logger is bound to does not pass through the formatter.
    redact: { paths: secretNames.flatMap(spellings), censor: redacted },
    // Made by the formatter.
    serializers: { err: (error: unknown) => error },
    ...(report && { hooks: reporting(report) }),
  };
  // A write for every line costs more than the line: they are gathered, for a tenth of a second at most, and written at exit.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 }));
};
