import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@accessops/testing';
// By path: the parts under test are parts of what starts the servers.
import { prepareCerbos, type ReservedPort, reserveFreePort, supervise } from '../../../dev/src/index.ts';

/** Who may read a document. */
const policyFor = (role: string) => ({
  apiVersion: 'api.cerbos.dev/v1',
  resourcePolicy: {
    version: 'default',
    resource: 'document',
    rules: [
      { actions: ['read'], effect: 'EFFECT_ALLOW', roles: [role], condition: { match: { expr: 'R.attr.tenantId == P.attr.tenantId' } } },
      {
        actions: ['write'],
        effect: 'EFFECT_ALLOW',
        roles: ['writer'],
        output: { when: { ruleActivated: '{"limit": R.attr.size * 2.0}' } },
      },
      { actions: ['sign'], effect: 'EFFECT_ALLOW', roles: ['writer'] },
      {
        actions: ['sign'],
        effect: 'EFFECT_DENY',
        roles: ['*'],
        condition: { match: { expr: 'P.attr.mfaLevel < 2' } },
        output: { when: { ruleActivated: '{"demand": {"acr": "aal2"}}' } },
      },
    ],
  },
});

/** Which policies these are, as the repository's tell it. */
const versionPolicy = (version: string) => ({
  apiVersion: 'api.cerbos.dev/v1',
  resourcePolicy: {
    version: 'route',
    resource: 'policy',
    rules: [{ actions: ['tell_version'], effect: 'EFFECT_ALLOW', roles: ['*'], output: { when: { ruleActivated: `"${version}"` } } }],
  },
});

/** A Cerbos of a test's own, which it may stop, hang and give other policies. */
export interface OwnCerbos {
  address: string;
  kill(signal: NodeJS.Signals): void;
  /** Kills it; answers when its supervisor has started another in its place. */
  replace(): Promise<void>;
  /** Stops it in the middle of whatever it does; answers when it really stands still. */
  hang(): Promise<void>;
  /** Lets another role read documents. */
  letRead(role: string): void;
  /** Says that its policies are of this version. */
  call(version: string): void;
  close(): Promise<void>;
}

export const startOwnCerbos = async (): Promise<OwnCerbos> => {
  const directory = mkdtempSync(join(tmpdir(), 'cerbos-'));
  const policies = mkdtempSync(join(directory, 'policies-'));
  const letRead = (role: string) => writeFileSync(join(policies, 'document.json'), JSON.stringify(policyFor(role)));
  const call = (version: string) => writeFileSync(join(policies, 'policy.json'), JSON.stringify(versionPolicy(version)));
  letRead('reader');
  call('one');
  const [grpcPort, httpPort] = [await reserveFreePort(), await reserveFreePort()] as [ReservedPort, ReservedPort];
  const spec = prepareCerbos({ policies, configFile: join(directory, 'cerbos.yaml'), grpcPort, httpPort });
  const supervised = supervise(spec, { logFile: join(directory, 'cerbos.log') });
  await supervised.ready;
  return {
    address: `127.0.0.1:${grpcPort.port}`,
    kill: supervised.kill,
    replace: async () => {
      const former = supervised.pid;
      supervised.kill('SIGKILL');
      await until(() => supervised.pid !== undefined && supervised.pid !== former, { what: 'another Cerbos' });
    },
    hang: async () => {
      supervised.kill('SIGSTOP');
      const state = async () => (await promisify(execFile)('ps', ['-o', 'state=', '-p', String(supervised.pid)])).stdout.trim();
      await until(async () => (await state()).startsWith('T'), { what: 'a Cerbos that stands still' });
    },
    letRead,
    call,
    close: async () => {
      supervised.kill('SIGCONT');
      await supervised.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
