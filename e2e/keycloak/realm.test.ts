import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { admin, pidOf } from './keycloak.ts';

/** The environment that the running identity has. */
const identityEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    readFileSync(`/proc/${pidOf('identity')}/environ`, 'utf8')
      .split('\0')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

/** Starts another identity, which is to end by itself. */
const startAnother = (overrides: Record<string, string> = {}) => {
  const cwd = join(import.meta.dirname, '../../services/identity');
  const env = { ...identityEnvironment(), LISTEN: '127.0.0.1:0', ...overrides };
  const { status, stderr, stdout } = spawnSync(process.execPath, ['main.ts'], { cwd, env, encoding: 'utf8', timeout: 30_000 });
  expect(stdout).not.toContain('listening');
  return { status, lines: stderr.trim().split('\n') };
};

test('when the realm lacks a client at the start, or is not there, then identity says so and does not start', async () => {
  const [client] = await admin<{ id: string }[]>('GET', '/clients?clientId=accessops-admin');
  const rename = (clientId: string) => admin('PUT', `/clients/${client?.id}`, { clientId });
  const realm = identityEnvironment().ISSUER ?? '';
  await rename('accessops-elsewhere');
  try {
    expect(startAnother()).toEqual({
      status: 78,
      lines: [`ISSUER: there is no client accessops-admin: make it in ${realm} as deploy/keycloak/accessops-realm.json has it`],
    });
  } finally {
    await rename('accessops-admin');
  }
  expect(startAnother({ ISSUER: `${realm}-elsewhere` })).toEqual({
    status: 78,
    lines: [`ISSUER: there is no such realm: import deploy/keycloak/accessops-realm.json, or name another than ${realm}-elsewhere`],
  });
});
