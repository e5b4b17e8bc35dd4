import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from '../suite.ts';

const leaseMs = 9000;
/** How long the target takes to extend; the lease is prolonged once meanwhile. */
const latencyMs = 4000;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ overrides: { worker: { leaseMs } } });
});
afterAll(() => suite.close());

/** Whether a statement that says so waits for a row. */
const waits = async (text: string): Promise<boolean> => {
  const { rowCount } = await suite.sql.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and position($1 in query) > 0`,
    [text],
  );
  return rowCount === 1;
};
const behave = (grantId: string, config: object) =>
  suite.sql.query(`update access_grant set access = jsonb_set(access, '{config}', $2) where id = $1`, [grantId, config]);

test('when access ends just as a lease is prolonged, then the end does not wait for that lease', async () => {
  const requestId = await suite.approve();
  const { id } = await suite.grantIs(requestId, ['ACTIVE']);
  await behave(id, { latencyMs });
  const extension = await suite.approve({ extendsRequestId: requestId });
  const job = await until(async () => {
    const { rows } = await suite.sql.query(`select id, due_at from job where request_id = $1 and status = 'RUNNING'`, [extension]);
    return rows[0] as { id: string; due_at: Date } | undefined;
  });
  await behave(id, {});
  const lock = await suite.sql.connect();
  try {
    await lock.query('begin');
    await lock.query('select from job where id = $1 for update', [job.id]);
    const revoked = (await suite.as(suite.admin)).revokeGrant({ id });
    await until(() => waits('with open as'), { what: 'a revocation that waits for the job' });
    await until(() => waits('as mine'), { what: 'a heartbeat that waits for the job' });
    await lock.query('commit');
    await revoked;
  } finally {
    lock.release(true);
  }
  const { ended_at } = await suite.grantIs(requestId, ['REVOKED'], 3 * leaseMs);
  expect(ended_at?.getTime()).toBeLessThan(job.due_at.getTime());
});
