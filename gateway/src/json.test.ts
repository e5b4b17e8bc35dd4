import { AppError } from '@accessops/errors';
import { describe, expect, test } from 'vitest';
import { checkJson } from './json.ts';

const wrongWith = (value: unknown): string | string[] => {
  try {
    checkJson(value);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === 'INVALID_FIELDS' ? error.fields.map(({ pointer }) => pointer) : error.code;
  }
};

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

describe('what JSON can hold', () => {
  test('when a body is ordinary, then it passes', () => {
    expect(wrongWith({ a: [1, 'ä💾', null, true, { b: -1.5e300 }], '': '\n' })).toEqual([]);
    for (const value of [null, 1, 'x', [], {}]) expect(wrongWith(value)).toEqual([]);
  });

  test('when a text holds NUL or half a surrogate pair, then its pointer is named', () => {
    expect(wrongWith({ a: 'x\0', b: ['ok', 'x\ud800'], c: { 'd/e~f': '\udc00' } })).toEqual(['/a', '/b/1', '/c/d~1e~0f']);
  });

  test('when a name holds NUL or half a surrogate pair, then its pointer is named, well-formed', () => {
    expect(wrongWith({ 'a\0': 1, 'b\ud800': 1 })).toEqual(['/a\0', '/b\ufffd']);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('when %s is a name at any depth, then its pointer is named', (name) => {
    expect(wrongWith(JSON.parse(`{"${name}":1,"a":[{"${name}":{"x":1}}]}`))).toEqual([`/${name}`, `/a/0/${name}`]);
  });

  test('when a number is beyond what doubles hold, then its pointer is named', () => {
    expect(wrongWith(JSON.parse('{"a":1e999,"b":[-1e999]}'))).toEqual(['/a', '/b/0']);
  });

  test('when it is 32 levels deep, then it passes; when deeper, then it is refused however deep it is', () => {
    expect(wrongWith(nested(32))).toEqual([]);
    expect(wrongWith(nested(33))).toBe('MALFORMED_JSON');
    expect(wrongWith(nested(200_000))).toBe('MALFORMED_JSON');
  });

  test('when very much is wrong, then not all of it is named', () => {
    expect(wrongWith(Array.from({ length: 1000 }, () => '\0'))).toHaveLength(20);
  });
});
