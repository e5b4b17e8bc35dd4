import { hash } from '@node-rs/argon2';
import { expect, test } from 'vitest';
import { hashPassword, isPassword } from './password-hash.ts';

test('when a password is hashed, then it is right in any spelling, and no other is', async () => {
  const stored = await hashPassword('gr\u00fcn-4711');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await isPassword('gru\u0308n-4711', stored)).toBe(true);
  expect(await isPassword('grun-4711', stored)).toBe(false);
  expect(await isPassword('gr\u00fcn-4711', undefined)).toBe(false);
});

test('when more sign in at once than can be served in time, then the last are asked to come again, and the others are served', async () => {
  // Cheap to check: what counts is how many wait.
  const stored = await hash('right', { memoryCost: 8, timeCost: 1, parallelism: 1 });
  const attempts = await Promise.allSettled(Array.from({ length: 300 }, () => isPassword('right', stored)));
  const refused = attempts.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(110);
  for (const attempt of attempts)
    expect(attempt).toMatchObject(attempt.status === 'fulfilled' ? { value: true } : { reason: { code: 'DEPENDENCY_UNAVAILABLE' } });
});
