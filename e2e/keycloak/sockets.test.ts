import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { login, pool } from '../client.ts';
import { pidOf } from './keycloak.ts';

/** How many connections a process holds to a port of this machine. */
const connectionsTo = (pid: number, port: number): number => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[2]?.endsWith(`:${hexPort}`))
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  const target = (fd: string) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  };
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(target(fd))).length;
};

test.runIf(process.platform === 'linux')('when 500 logins fail, then no socket is left over from them', { timeout: 600_000 }, async () => {
  const port = Number(new URL(inject('keycloak').url).port);
  const pid = pidOf('identity');
  let most = 0;
  const fail = async (email: string): Promise<number> => {
    const { status } = await login(email, 'not the right password');
    most = Math.max(most, connectionsTo(pid, port));
    // On a machine that stands still Keycloak may take longer than it is waited for.
    return status === 503 ? fail(email) : status;
  };
  const answers = await pool(Array.from({ length: 500 }), 20, (_, index) => fail(`nobody${index}@nowhere.test`));
  expect(answers.filter((status) => status !== 401)).toEqual([]);
  // Ten for logins, eight for the admin API, a few for keys; those left over would be hundreds.
  expect(most).toBeLessThanOrEqual(24);
});
