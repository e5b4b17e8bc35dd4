import { expect, test } from 'vitest';
import { createGather } from './gather.ts';

const waited = async (work: () => Promise<void>): Promise<boolean> => {
  let turned = false;
  const turn = new Promise<void>((resolve) => {
    setImmediate(() => {
      turned = true;
      resolve();
    });
  });
  await work();
  const result = turned;
  await turn;
  return result;
};

test('when little has been done, then nothing waits', async () => {
  const gather = createGather(() => 0);
  gather.did(99);
  expect(await waited(gather)).toBe(false);
});

test('when much has just been done, then the next waits for others', async () => {
  const gather = createGather(() => 0);
  gather.did(100);
  expect(await waited(gather)).toBe(true);
});

test('when much was done but a while ago, then nothing waits', async () => {
  let now = 0;
  const gather = createGather(() => now);
  gather.did(100);
  now = 600;
  expect(await waited(gather)).toBe(true);
  now = 1200;
  expect(await waited(gather)).toBe(false);
});
