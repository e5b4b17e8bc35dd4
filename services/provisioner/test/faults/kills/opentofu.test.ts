import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startOpentofu } from '../../targets/opentofu.ts';
import { killRounds } from './kill-rounds.ts';

const target = await startOpentofu();

test.runIf(target)(
  'when workers are killed at each step, then each access is there once, lets in, and nothing is left over',
  { timeout: 600_000 },
  async () => {
    if (!target) return;
    try {
      expect(await killRounds(target)).toBe(10);
      expect([readdirSync(target.place.room), await target.place.states(), await target.place.locks()]).toEqual([[], [], 0]);
    } finally {
      await target.close();
    }
  },
);
