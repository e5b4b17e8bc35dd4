import { afterAll, describe, expect, test } from 'vitest';
import type { RealTarget } from '../../targets/real-target.ts';
import { changeRounds } from './change-rounds.ts';
import { killRounds } from './kill-rounds.ts';
import { kills } from './rounds.ts';

/** Tests that nothing is lost, doubled or left over at a target when workers are killed. */
export const describeKills = (target: RealTarget | undefined): void => {
  if (!target) return;
  describe(`when workers are killed at each step at ${target.connector}`, { timeout: 900_000 }, () => {
    afterAll(() => target.close());

    test('of making access and taking it away, then each is there once, lets in, and nothing is left over', async () => {
      expect(await killRounds(target)).toBe(kills);
    });

    test('of issuing credentials anew and extending access, then each is there once, lets in until its new end, and goes', async () => {
      expect(await changeRounds(target)).toBe(kills);
    });
  });
};
