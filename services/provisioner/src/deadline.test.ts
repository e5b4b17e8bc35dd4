import { expect, test } from 'vitest';
import { withDeadline } from './deadline.ts';

const never = new AbortController().signal;
const deaf = () => new Promise<void>(() => {});

test('when work is done in time, then its result counts', async () => {
  await expect(withDeadline(1000, never, async () => 7)).resolves.toBe(7);
  await expect(withDeadline(1000, never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('when time is up, then work is told and not waited for, even if it does not listen', async () => {
  let told: AbortSignal | undefined;
  const running = withDeadline(5, never, (signal) => {
    told = signal;
    return deaf();
  });
  await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(told?.aborted).toBe(true);
});

test('when the parent is aborted, before or in between, then so is the work', async () => {
  const parent = new AbortController();
  const running = withDeadline(60_000, parent.signal, deaf);
  parent.abort();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  await expect(withDeadline(60_000, parent.signal, async () => 7)).rejects.toMatchObject({ name: 'AbortError' });
});
