import { describe, expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const gate = () => Promise.withResolvers<void>();

describe('turns', () => {
  test('when work about one thing comes at once, then it runs in the order of arrival, also after a failure', async () => {
    const takeTurns = createTurns();
    const seen: string[] = [];
    const first = gate();
    const results = [
      takeTurns('a', async () => {
        await first.promise;
        seen.push('first');
        throw new Error('failed');
      }),
      takeTurns('a', async () => seen.push('second')),
      takeTurns('a', async () => seen.push('third')),
    ];
    await takeTurns('b', async () => seen.push('other'));
    first.resolve();
    expect((await Promise.allSettled(results)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(seen).toEqual(['other', 'first', 'second', 'third']);
  });

  test('when everything is done, then the next one starts at once', async () => {
    const takeTurns = createTurns();
    expect(await takeTurns('a', async () => 1)).toBe(1);
    expect(await takeTurns('a', async () => 2)).toBe(2);
  });
});
