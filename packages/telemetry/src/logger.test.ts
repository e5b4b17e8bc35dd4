import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLogger, type Logger } from './logger.ts';

/** What a logger writes, line by line. */
const written = (use: (log: Logger) => void, level = 'info') => {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
  use(createLogger('audit', level, destination));
  return lines.map((line) => ({ text: line, fields: JSON.parse(line) as Record<string, unknown> }));
};

const secrets = [
  'password',
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
  'apiKey',
  'client_secret',
  'secretAccessKey',
  'totp',
];

describe('secrets', () => {
  test.each(secrets)('when %s is logged, at the top or within something, then it is left out', (name) => {
    const [line] = written((log) => {
      log.info(
        {
          [name]: 's3cr3t-1',
          body: { [name]: 's3cr3t-2' },
          request: { headers: { [name]: 's3cr3t-3' } },
          list: [{ [name]: 's3cr3t-4' }],
          a: { b: { c: { d: [{ [name]: 's3cr3t-5' }] } } },
        },
        'x',
      );
    });
    expect(line?.text).not.toContain('s3cr3t');
    expect(line?.fields[name]).toBe('[redacted]');
  });

  test('when a child logger is bound to a secret, then it is left out as well', () => {
    const [line] = written((log) => log.child({ token: 's3cr3t', tenant: 't' }).info('x'));
    expect(line?.text).not.toContain('s3cr3t');
    expect(line?.fields.tenant).toBe('t');
  });

  test('when an error carries a secret, then the message and stack are written and the secret is not', () => {
    const error = Object.assign(new Error('went wrong'), { password: 's3cr3t', config: { authorization: 's3cr3t' } });
    const [line] = written((log) => log.error({ err: error }, 'x'));
    expect(line?.text).not.toContain('s3cr3t');
    expect(line?.fields.err).toMatchObject({ message: 'went wrong', stack: expect.stringContaining('logger.test.ts') });
  });

  test('when an error carries the call that failed, or was caused by one, then what that held is not written', () => {
    const cause = Object.assign(new Error('unauthorized'), { code: 'E401', response: { headers: { 'x-key': 's3cr3t' } } });
    const error = new Error('went wrong', { cause: Object.assign(cause, { request: { headers: { authorization: 'Bearer s3cr3t' } } }) });
    const [line] = written((log) => log.error({ err: error, errors: [error] }, 'x'));
    expect(line?.text).not.toContain('s3cr3t');
    expect(line?.fields.err).toMatchObject({ message: 'went wrong', cause: { message: 'unauthorized', code: 'E401' } });
  });

  test('when something holds itself, or bytes, or goes deep, then the line ends all the same', () => {
    const circle: Record<string, unknown> = { bytes: Buffer.from('s3cr3t'), at: new Date(0), many: 1n };
    circle.self = circle;
    const [line] = written((log) => log.info({ circle, missing: undefined, nothing: null }, 'x'));
    expect(line?.fields).toMatchObject({ circle: { bytes: '[bytes]', at: '1970-01-01T00:00:00.000Z' }, nothing: null });
  });

  test('when a database refuses a statement, then the values it names are not written', () => {
    const error = Object.assign(new Error('duplicate key'), {
      detail: 'Key (token)=(s3cr3t) already exists.',
      parameters: ['s3cr3t'],
    });
    const [line] = written((log) => log.error({ err: error }, 'x'));
    expect(line?.text).not.toContain('s3cr3t');
  });
});

describe('lines', () => {
  test('when something is logged, then it is one line of JSON with level, time, service and message', () => {
    const [line] = written((log) => log.warn({ request_id: 'r-1' }, 'two\nlines'));
    expect(line?.fields).toMatchObject({ level: 'warn', service: 'audit', message: 'two\nlines', request_id: 'r-1' });
    expect(new Date(line?.fields.time as string).toISOString()).toBe(line?.fields.time);
  });

  test('when the level is higher, then the rest is not written', () => {
    expect(written((log) => log.info('x'), 'warn')).toEqual([]);
    expect(written((log) => log.fatal('x'), 'silent')).toEqual([]);
  });
});
