import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle, programs } from '../src/bundle.ts';

// Outside the repository, so that nothing of it can be found from there.
const folder = mkdtempSync(join(tmpdir(), 'accessops-bundles-'));
const names = Object.keys(programs);
beforeAll(async () => {
  for (const name of names) await bundle(name, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each(names)('when the bundle of %s starts with nothing set, then it loads, and says what is missing', (name) => {
  const { status, stderr } = spawnSync(process.execPath, ['main.js'], { cwd: join(folder, name), env: {}, encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({ status: 78 });
  expect(stderr).toMatch(/^[A-Z_]+: /);
});

it('when the secrets are made twice, then they stay', () => {
  const make = () =>
    spawnSync(process.execPath, ['migrate/secrets.js', join(folder, 'secrets'), '--kubernetes'], { cwd: folder, encoding: 'utf8' }).stdout;
  const first = make();
  expect(JSON.parse(first)).toMatchObject({ kind: 'List' });
  expect(make()).toBe(first);
});
