import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { startFaultProxy } from '../fault-proxy.ts';
import { startSuite } from '../suite.ts';
import { createTargetDatabase } from '../target.ts';

// A process that starts takes a while on a busy machine.
const patience = 60_000;

test('when the process that compares is killed, then another takes over, and what is missing is put back once', async () => {
  const target = await createTargetDatabase();
  const proxy = await startFaultProxy(target.port);
  const environment = { CONNECTOR_POSTGRES_PROD_URL: target.url(proxy.port), CONNECTOR_POSTGRES_PROD_TENANTS: 'acme' };
  const suite = await startSuite({ environment, overrides: { reconciler: { pollMs: 50, pauseMs: 100, deadlineMs: patience } } });
  try {
    const { sql } = suite;
    await suite.tellSlug();
    const resourceId = newId();
    const config = { login: 'prod', roles: { reader: [target.roles.reader] } };
    const requestId = await suite.approve({ connector: 'postgres', resourceId, config });
    await suite.grantIs(requestId, ['ACTIVE'], patience);
    const role = `accessops_${(await suite.jobIs(requestId, 'SUCCEEDED')).id.replaceAll('-', '')}`;
    await target.sql.query(`drop owned by "${role}"; drop role "${role}"`);
    await suite.stopAll();

    const itIsTime = () =>
      sql.query(`update reconciled_resource set looked_at = now() - interval '61 minutes' where resource_id = $1`, [resourceId]);
    const runs = async () =>
      (await sql.query('select id, status, attempts from reconciliation where resource_id = $1 order by created_at', [resourceId])).rows;
    const [run] = await until(
      async () => {
        proxy.set({ kind: 'deaf' });
        await itIsTime();
        const child = spawnProvisioner(suite);
        try {
          await until(() => proxy.struck > 0, { timeoutMs: patience, what: 'a process that looks' });
        } finally {
          await end(child, 'SIGKILL');
        }
        // Where the machine has stood still, it had given up before.
        const running = (await runs()).filter(({ status }) => status === 'RUNNING');
        return running.length > 0 && running;
      },
      { timeoutMs: 2 * patience, what: 'a process that is killed while it looks' },
    );
    proxy.set({ kind: 'none' });
    await suite.start();
    await sql.query('update reconciliation set due_at = now() where id = $1', [run.id]);
    await until(async () => (await runs()).some(({ id, attempts }) => id === run.id && attempts === 2), {
      timeoutMs: patience,
      what: 'a process that takes over',
    });
    await until(
      async () => {
        const all = await runs();
        // A target that stood still for a moment is asked again.
        if (all.every(({ status }) => status === 'FAILED')) await itIsTime();
        return all.some(({ status }) => status === 'SUCCEEDED');
      },
      { timeoutMs: patience, what: 'a comparison' },
    );
    await suite.jobIs(requestId, 'SUCCEEDED', patience);
    await until(async () => (await suite.job(requestId, 'REAPPLY'))?.status === 'SUCCEEDED', { timeoutMs: patience });
    expect((await suite.actions(requestId)).filter((action) => action === 'GRANT_REAPPLIED')).toHaveLength(1);
    expect((await target.sql.query('select from pg_roles where rolname = $1', [role])).rowCount).toBe(1);
  } finally {
    await suite.close();
    await proxy.close();
    await target.drop();
  }
}, 300_000);
