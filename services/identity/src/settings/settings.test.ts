import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSettings } from './settings.ts';

const settingsOf = (environment: Parameters<typeof createSettings>[0]['environment']) =>
  createSettings({ environment, sealKey: randomBytes(32) });

test('when something is stored, then it counts before the environment, and that before the default', () => {
  const key = 'security.require-mfa';
  const [plain, demanding] = [settingsOf(new Map()), settingsOf(new Map([[key, true]]))];
  expect([plain.valueFrom(key, null), plain.valueFrom(key, 'true')]).toEqual([false, true]);
  expect([demanding.valueFrom(key, null), demanding.valueFrom(key, 'false')]).toEqual([true, false]);
});
