import { newId } from '@accessops/db';
import { expect, test } from 'vitest';
import { isHashOf, newLinkToken, readLinkToken } from './link-token.ts';

test('when a token is made, then it can be read back, and only its hash is needed to know it', () => {
  const id = newId();
  const { token, hash } = newLinkToken(id);
  expect(token).toMatch(/^[\w-]{64}$/);
  expect(readLinkToken(token)).toEqual({ id, hash });
  expect(isHashOf(hash, { id, hash })).toBe(true);
});

test('when two tokens are made for one link, then one does not stand for the other', () => {
  const id = newId();
  const [one, other] = [newLinkToken(id), newLinkToken(id)];
  expect(isHashOf(one.hash, other)).toBe(false);
  expect(isHashOf(undefined, other)).toBe(false);
});

test.each(['', 'x', 'x'.repeat(63), 'x'.repeat(65), `${'x'.repeat(63)}=`, `${'x'.repeat(63)}\n`])(
  'when %j is read, then it is no token',
  (token) => {
    expect(readLinkToken(token)).toBeUndefined();
  },
);
