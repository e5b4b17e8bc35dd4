import { expect, test } from 'vitest';
import { createBatcher } from './batcher.ts';

test('when items come in while one is handled, then they are handled together, in order and within the size', async () => {
  const batches: number[][] = [];
  const batcher = createBatcher<number>(async (items) => {
    batches.push(items);
    await Promise.resolve();
  }, 3);
  await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
  expect(batches).toEqual([[1], [2, 3, 4], [5]]);
  await batcher.add(6);
  expect(batches.at(-1)).toEqual([6]);
});

test('when a batch is being handled, then its items are not done yet', async () => {
  let finish = () => {};
  const batcher = createBatcher<string>(() => new Promise<void>((resolve) => (finish = resolve)), 10);
  let done = false;
  const added = batcher.add('a').then(() => (done = true));
  await Promise.resolve();
  expect(done).toBe(false);
  finish();
  await added;
  expect(done).toBe(true);
});
