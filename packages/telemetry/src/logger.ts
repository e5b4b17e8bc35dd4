import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const secretNames = ['password', 'token', 'accessToken', 'refreshToken', 'credential', 'secret', 'authorization', 'privateKey', 'jwe'];

/** Paths that are never written to a log, at the top and one or two levels down. */
const redactPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

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
