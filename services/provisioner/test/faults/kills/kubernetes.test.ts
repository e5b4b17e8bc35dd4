import { expect, test } from 'vitest';
import { startKubernetes } from '../../targets/kubernetes.ts';
import { killRounds } from './kill-rounds.ts';

const target = await startKubernetes();

test.runIf(target)(
  'when workers are killed at each step, then each access is there once, lets in, and nothing is left over',
  { timeout: 600_000 },
  async () => {
    try {
      expect(target && (await killRounds(target))).toBe(10);
    } finally {
      await target?.close();
    }
  },
);
