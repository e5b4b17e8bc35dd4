import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const gate = () => {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

test('when more want to run than may, then they run one after the other in the order they came', async () => {
  const turns = createTurns(1);
  const order: string[] = [];
  const first = gate();
  const runs = ['a', 'b', 'c'].map((name) =>
    turns('key', async () => {
      order.push(`${name} begins`);
      if (name === 'a') await first.opened;
      order.push(`${name} ends`);
    }),
  );
  first.open();
  await Promise.all(runs);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('when keys differ, then nobody waits', async () => {
  const turns = createTurns(1);
  const first = gate();
  const slow = turns('one', () => first.opened);
  expect(await turns('two', async () => 'done')).toBe('done');
  first.open();
  await slow;
});

test('when work fails, then the next one has its turn', async () => {
  const turns = createTurns(1);
  const failing = turns('key', () => Promise.reject(new Error('no')));
  const next = turns('key', async () => 'done');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('done');
});
