import { describe, expect, test } from 'vitest';
import { createIdempotencyReader } from './idempotency.ts';

const read = createIdempotencyReader(Buffer.alloc(32, 1));

const fingerprint = (body: unknown) => read('k', 'POST', '/x', body)?.fingerprint;

describe('Idempotency-Key', () => {
  test('when there is none, then nothing is passed on', () => {
    expect(read(undefined, 'POST', '/x', {})).toBeUndefined();
  });

  test('when it is given, then method and path are part of it, and it can stand in a header', () => {
    expect(read('my key/ü'.replace('ü', 'u'), 'POST', '/api/v1/requests', {})?.key).toBe('POST%20%2Fapi%2Fv1%2Frequests%20my%20key%2Fu');
  });

  test.each(['', 'x'.repeat(256), 'a\tb', 'ü', 'a\u007f'])('when it is "%s", then it is refused', (header) => {
    expect(() => read(header, 'POST', '/x', {})).toThrow(/printable ASCII/);
  });

  test('when the same body is written differently, then it has the same fingerprint', () => {
    expect(fingerprint({ a: 1, b: { c: [1, 2], d: null } })).toBe(fingerprint({ b: { d: null, c: [1, 2] }, a: 1 }));
  });

  test('when bodies differ, then their fingerprints do', () => {
    const bodies = [{}, { a: 1 }, { a: '1' }, { a: [1] }, { a: { b: 1 } }, { a: null }, [], null, 'a', { 'a":1,"b': 1 }];
    expect(new Set(bodies.map(fingerprint)).size).toBe(bodies.length);
  });

  test('when somebody has the body but not the key, then the fingerprint cannot be computed', () => {
    expect(createIdempotencyReader(Buffer.alloc(32, 2))('k', 'POST', '/x', {})?.fingerprint).not.toBe(fingerprint({}));
  });
});
