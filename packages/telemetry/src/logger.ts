import { type Logger, pino } from 'pino';

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

/** JSON logs on standard output; `service` stands on every line, secrets are replaced by `[redacted]`. */
export const createLogger = (service: string, level = 'info', destination?: NodeJS.WritableStream): Logger => {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactPaths, censor: '[redacted]' },
  };
  return destination ? pino(options, destination) : pino(options, pino.destination({ dest: 1, sync: false, minLength: 0 }));
};
