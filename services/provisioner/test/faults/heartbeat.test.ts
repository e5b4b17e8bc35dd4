import { until } from '@accessops/testing';
import { afterAll, beforeAll, test } from 'vitest';
import { gated } from '../gate.ts';
import { type Suite, startSuite } from '../suite.ts';

/** Prolonged every three seconds. */
const leaseMs = 9000;

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

/** Ends access while it is extended and its lease is prolonged; answers whether that was over before the lease was. */
const endsBeforeLease = async (): Promise<boolean> => {
  const requestId = await suite.approve(gated);
  const { id } = await suite.grantIs(requestId, ['ACTIVE']);
  suite.gate.close();
  const extension = await suite.approve({ extendsRequestId: requestId });
  const job = await until(async () => {
    const { rows } = await suite.sql.query(`select id, due_at from job where request_id = $1 and status = 'RUNNING'`, [extension]);
    return rows[0] as { id: string; due_at: Date } | undefined;
  });
  const lock = await suite.sql.connect();
  try {
    await lock.query('begin');
    await lock.query('select from job where id = $1 for update', [job.id]);
    const revoked = (await suite.as(suite.admin)).revokeGrant({ id });
    revoked.catch(() => undefined);
    await until(() => waits('with open as'), { what: 'a revocation that waits for the job' });
    await until(() => waits('as mine'), { what: 'a heartbeat that waits for the job' });
    await lock.query('commit');
    await revoked;
  } finally {
    suite.gate.open();
    lock.release(true);
  }
  const { ended_at } = await suite.grantIs(requestId, ['REVOKED'], 3 * leaseMs);
  return Number(ended_at) < job.due_at.getTime();
};

test('when access ends just as a lease is prolonged, then the end does not wait for that lease', async () => {
  // Where the machine has stood still meanwhile, another one tells.
  await until(endsBeforeLease, { timeoutMs: 90_000, what: 'an end that does not wait' });
});
