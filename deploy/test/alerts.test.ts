import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveMetrics } from '@accessops/telemetry';
import { describe, expect, it } from 'vitest';
import { prepareCerbos } from '../../dev/src/cerbos.ts';
import { reserveFreePort } from '../../dev/src/ports.ts';
import { supervise } from '../../dev/src/supervise.ts';
import { createGatewayMetrics } from '../../gateway/src/metrics.ts';
import { decisions } from '../observability/dashboards.ts';
import { processMetrics } from '../observability/metrics.ts';
import { isThere } from './is-there.ts';
import { root } from './kustomize.ts';

interface Family {
  name: string;
  help: string;
  type: string;
}

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

  it.each(Object.keys(processMetrics()) as (keyof ReturnType<typeof processMetrics>)[])(
    'when %s names what it measures, then as Prometheus is used to',
    (process) => {
      const families = (processMetrics()[process].getMetricsAsArray() as unknown as Family[]).map(({ name, help, type }) => {
        const samples = type === 'histogram' ? `${name}_bucket{le="+Inf"} 0\n${name}_sum 0\n${name}_count 0` : `${name} 0`;
        return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples}\n`;
      });
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: families.join(''), encoding: 'utf8' });
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
    },
  );
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

describe.runIf(isThere('prometheus'))('exemplars', () => {
  it('when Prometheus asks a process, then it can name the trace of a call that took long', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'accessops-prometheus-'));
    const { registry, observeAnswer } = createGatewayMetrics();
    const metrics = await serveMetrics(registry, '127.0.0.1:0');
    const trace = '0af7651916cd43dd8448eb211c80319c';
    observeAnswer({ route: '/api/v1/requests', method: 'GET', status: 200 }, 4, `00-${trace}-b7ad6b7169203331-01`);
    const config = join(folder, 'prometheus.json');
    const scrape = { job_name: 'gateway', scrape_interval: '200ms', static_configs: [{ targets: [metrics.address] }] };
    writeFileSync(config, JSON.stringify({ scrape_configs: [scrape] }));
    const port = await reserveFreePort();
    const prometheus = supervise(
      {
        name: 'prometheus',
        program: 'prometheus',
        // As in compose.
        args: [
          `--config.file=${config}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          '--enable-feature=exemplar-storage',
          `--web.listen-address=127.0.0.1:${port.port}`,
        ],
        env: {},
        ports: [port],
        answers: async () => (await fetch(`http://127.0.0.1:${port.port}/-/ready`)).ok,
      },
      { logFile: join(folder, 'prometheus.log') },
    );
    try {
      await prometheus.ready;
      const query = new URLSearchParams({
        query: 'accessops_http_request_duration_seconds_bucket',
        start: String(Date.now() / 1000 - 600),
        end: String(Date.now() / 1000 + 600),
      });
      const exemplars = async () => {
        const answer = await fetch(`http://127.0.0.1:${port.port}/api/v1/query_exemplars?${query}`);
        return ((await answer.json()) as { data: { exemplars: { labels: object; value: string }[] }[] }).data.flatMap(
          (one) => one.exemplars,
        );
      };
      await expect
        .poll(exemplars, { timeout: 30_000 })
        .toContainEqual(expect.objectContaining({ labels: { trace_id: trace }, value: '4' }));
    } finally {
      await prometheus.stop();
      await metrics.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
