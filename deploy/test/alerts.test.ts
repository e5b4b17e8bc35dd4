import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareCerbos } from '../../dev/src/cerbos.ts';
import { reserveFreePort } from '../../dev/src/ports.ts';
import { supervise } from '../../dev/src/supervise.ts';
import { decisions } from '../observability/dashboards.ts';
import { isThere } from './is-there.ts';
import { root } from './kustomize.ts';

describe.runIf(isThere('promtool'))('alerts', () => {
  const run = (...args: string[]) => {
    const cwd = join(root, 'deploy/observability');
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };

  it('when Prometheus reads its configuration, then it finds nothing to object to', () => {
    expect(run('check', 'config', '--lint=all', '--lint-fatal', 'prometheus.yaml')).toMatchObject({ status: 0 });
  });

  it('when something is the matter, then the alert for it is raised, and not before', () => {
    expect(run('test', 'rules', 'alerts.test.yaml')).toMatchObject({ status: 0 });
  });
});

it('when Cerbos has decided, then it tells how long that took under the name that is watched', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-cerbos-'));
  const [grpcPort, httpPort] = [await reserveFreePort(), await reserveFreePort()];
  const spec = prepareCerbos({ policies: join(root, 'policies'), configFile: join(folder, 'cerbos.yaml'), grpcPort, httpPort });
  const cerbos = supervise(spec, { logFile: join(folder, 'cerbos.log') });
  try {
    await cerbos.ready;
    const url = `http://127.0.0.1:${httpPort.port}`;
    const [principal, resource] = [
      { id: 'somebody', roles: ['user'] },
      { kind: 'request', id: 'r-1' },
    ];
    const body = JSON.stringify({ requestId: 'call-1', principal, resources: [{ actions: ['read'], resource }] });
    const { status } = await fetch(`${url}/api/check/resources`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(status).toBe(200);
    expect(await (await fetch(`${url}/_cerbos/metrics`)).text()).toContain(`# TYPE ${decisions} histogram`);
  } finally {
    await cerbos.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
