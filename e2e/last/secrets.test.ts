import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { platformDir, secretsFile } from '../places.ts';

/** Runs after all other suites: what they sent and were given must not have been written down. */
test('when the whole suite has run, then no log holds a password, token or credential of it', () => {
  const secrets = readFileSync(secretsFile, 'utf8').split('\n').filter(Boolean);
  expect(secrets.length).toBeGreaterThan(100);
  const folder = join(platformDir, 'logs');
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThanOrEqual(9);
  const found: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const secret of secrets) if (text.includes(secret)) found.push(file);
  }
  expect(found).toEqual([]);
});
