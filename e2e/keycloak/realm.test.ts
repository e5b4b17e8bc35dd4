import { execFile } from 'node:child_process';
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

interface Ended {
  status: unknown;
  lines: string[];
  served: boolean;
}

const startOnce = (overrides: Record<string, string>): Promise<Ended> => {
  const cwd = join(import.meta.dirname, '../../services/identity');
  const env = { ...identityEnvironment(), LISTEN: '127.0.0.1:0', ...overrides };
  return new Promise((resolve) => {
    execFile(process.execPath, ['main.ts'], { cwd, env, timeout: 100_000 }, (error, stdout, stderr) =>
      resolve({ status: error?.code, lines: stderr.trim().split('\n'), served: stdout.includes('listening') }),
    );
  });
};

/** Starts another identity, which is to end by itself. One that Keycloak has not answered in time begins to serve, and says nothing of the start. */
const startAnother = async (overrides: Record<string, string> = {}) => {
  for (;;) {
    const { served, ...ended } = await startOnce(overrides);
    if (!served) return ended;
  }
};

test('when the realm lacks a client at the start, or is not there, then identity says so and does not start', async () => {
  const [client] = await admin<{ id: string }[]>('GET', '/clients?clientId=accessops-admin');
  const rename = (clientId: string) => admin('PUT', `/clients/${client?.id}`, { clientId });
  const realm = identityEnvironment().ISSUER ?? '';
  await rename('accessops-elsewhere');
  try {
    expect(await startAnother()).toEqual({
      status: 78,
      lines: [`ISSUER: there is no client accessops-admin: make it in ${realm} as deploy/keycloak/accessops-realm.json has it`],
    });
  } finally {
    await rename('accessops-admin');
  }
  expect(await startAnother({ ISSUER: `${realm}-elsewhere` })).toEqual({
    status: 78,
    lines: [`ISSUER: there is no such realm: import deploy/keycloak/accessops-realm.json, or name another than ${realm}-elsewhere`],
  });
}, 400_000);
