import { expect, test } from 'vitest';
import { newTotpSecret, stepOfCode, totpEnrolment } from './totp.ts';

// RFC 6238, appendix B, cut to six digits.
const secret = Buffer.from('12345678901234567890');
const at = (seconds: number) => new Date(seconds * 1000);

test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [20_000_000_000, '353130'],
])('when it is second %i, then the code is that of the RFC', (seconds, code) => {
  expect(stepOfCode(secret, code, at(seconds))).toBe(Math.floor(seconds / 30));
});

test('when clocks disagree by one step, then a code is that of its own step, and further off it is none', () => {
  expect(stepOfCode(secret, '287082', at(59 + 30))).toBe(1);
  expect(stepOfCode(secret, '287082', at(59 - 30))).toBe(1);
  expect(stepOfCode(secret, '287082', at(59 + 61))).toBeUndefined();
});

test.each(['', '28708', '2870822', '287 082', 'abcdef', '287082\n'])('when the code is %j, then it is none', (code) => {
  expect(stepOfCode(secret, code, at(59))).toBeUndefined();
});

test('when a secret is made, then it has 160 bits and is shown in base32', () => {
  const fresh = newTotpSecret();
  expect(fresh).toHaveLength(20);
  const shown = totpEnrolment(fresh, 'ada@acme.test');
  expect(shown.secret).toMatch(/^[A-Z2-7]{32}$/);
  expect(shown.uri).toMatch(
    /^otpauth:\/\/totp\/AccessOps:ada%40acme\.test\?issuer=AccessOps&secret=[A-Z2-7]{32}&algorithm=SHA1&digits=6&period=30$/,
  );
  expect(newTotpSecret().equals(fresh)).toBe(false);
});
