import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
