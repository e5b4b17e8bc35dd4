import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { AppError, invalidField, isCode } from './app-error.ts';
import { type Code, codes } from './codes.ts';
import { kinds } from './kinds.ts';

const entries = Object.entries(codes) as [Code, (typeof codes)[Code]][];

describe('the table of codes', () => {
  test('when it is read, then it is sorted and has no code twice', () => {
    const names = entries.map(([code]) => code);
    expect(names).toEqual([...new Set(names)].sort());
  });

  test.each(entries)(
    'when %s is thrown without a message, then it has a status, a title and says what it means',
    (code, { kind, meaning }) => {
      const error = new AppError(code);
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(meaning).toMatch(/^[A-Z“`].*\.$/);
      expect(error).toMatchObject({
        code,
        message: meaning,
        kind,
        httpStatus: kinds[kind].http,
        grpcStatus: kinds[kind].grpc,
        fields: [],
        members: {},
      });
    },
  );
});

describe('the table of kinds', () => {
  test('when a kind stands for a failure, then its HTTP status is one the public API may answer and no other kind has it with the same title', () => {
    const all = Object.values(kinds);
    const allowed = [400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 429, 431, 500, 503];
    expect(all.filter(({ http }) => !allowed.includes(http))).toEqual([]);
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  });

  test('when a kind stands for a failure, then its gRPC status is one that says so', () => {
    const known = new Set(Object.values(status).filter((value) => typeof value === 'number' && value !== status.OK));
    expect(Object.values(kinds).filter(({ grpc }) => !known.has(grpc))).toEqual([]);
  });

  test('when it is compared with the public API, then each status of its list has a kind', () => {
    const https = Object.values(kinds).map(({ http }) => http);
    expect(https).toEqual(expect.arrayContaining([400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503]));
  });
});

describe('an AppError', () => {
  test('when it has a cause, then the cause is kept for the log and the message stays public', () => {
    const cause = new Error('password=secret');
    const error = new AppError('INTERNAL_ERROR', undefined, { cause });
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('secret');
  });

  test('when it has none, then it says nothing of one', () => {
    expect('cause' in new AppError('NOT_A_MEMBER')).toBe(false);
  });

  test('when a field is wrong, then it names the field', () => {
    expect(invalidField('/duration', 'must be positive')).toMatchObject({
      code: 'INVALID_FIELDS',
      httpStatus: 422,
      fields: [{ pointer: '/duration', message: 'must be positive' }],
    });
  });
});

test.each([
  ['REQUEST_NOT_PENDING', true],
  ['request_not_pending', false],
  ['toString', false],
  ['__proto__', false],
  ['constructor', false],
  ['', false],
])('when %s is looked up, then whether it is a code is %s', (value, expected) => {
  expect(isCode(value)).toBe(expected);
});
