import { expect, test } from 'vitest';
import { createBell } from './bell.ts';

test('when nobody was asleep at the ring, then the next sleep ends at once, and the one after that does not', async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(60_000);
  let woken = false;
  const sleeping = bell.wait(60_000).then(() => (woken = true));
  await Promise.resolve();
  expect(woken).toBe(false);
  bell.ring();
  await sleeping;
});

test('when nobody rings, then the sleep ends after its time', async () => {
  expect(await createBell().wait(1)).toBeUndefined();
});
