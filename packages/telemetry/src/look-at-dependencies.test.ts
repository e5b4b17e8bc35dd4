import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { lookAtDependencies } from './look-at-dependencies.ts';
import { ConfigError } from './run-process.ts';

const { signal } = new AbortController();
const away = () => Promise.reject(new Error('not there'));

describe('lookAtDependencies', () => {
  it('when all are there and right, then it goes on at once', async () => {
    // A timer that goes off before the one that ends the first look, however long the machine stands still.
    const sooner = delay(1000, 'sooner', { ref: false });
    expect(await Promise.race([lookAtDependencies([async () => [], async () => []], signal), sooner])).toHaveProperty('refused');
  });

  it('when several are wrong, then all of it is told', async () => {
    const looking = lookAtDependencies([async () => ['A: is wrong'], async () => [], async () => ['B: is wrong', 'C: too']], signal);
    await expect(looking).rejects.toThrow(new ConfigError('A: is wrong\nB: is wrong\nC: too'));
  });

  it('when one is away, then it goes on without, and is refused once that comes and is wrong', async () => {
    const look = vi.fn<() => Promise<string[]>>().mockImplementationOnce(away).mockImplementationOnce(away).mockImplementationOnce(away);
    look.mockResolvedValue(['A: is wrong']);
    const { refused } = await lookAtDependencies([look, async () => []], signal);
    expect((await refused).message).toBe('A: is wrong');
  });
});
