import { until } from '@accessops/testing';
import { expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { startSuite } from '../suite.ts';

const patience = 60_000;
const passwordOf = (credentialJson: string): string => JSON.parse(credentialJson).password;

test('when workers are killed while they replace it, then another finishes that, once', async () => {
  const own = await startSuite({ instances: 0 });
  try {
    let child = spawnProvisioner(own);
    const requestId = await own.approve();
    const { id } = await own.grantIs(requestId, ['ACTIVE'], patience);
    await own.sql.query(`update access_grant set access = jsonb_set(access, '{config}', '{"answerLatencyMs": 10000}') where id = $1`, [id]);
    await own.start({ worker: { concurrency: { high: 0, default: 0, low: 0 } } });
    const client = await own.as(own.requester);
    const digest = async (): Promise<string> =>
      (await own.sql.query(`select encode(password_digest, 'hex') as digest from simulated_target`)).rows[0].digest;
    const job = await until(
      async () => {
        const before = await digest();
        const { id: jobId } = await client.reissueCredential({ grantId: id });
        await until(async () => (await digest()) !== before, { timeoutMs: patience, what: 'another password' });
        await end(child, 'SIGKILL');
        const { rows } = await own.sql.query('select id, attempts from job where id = $1 and status = $2', [jobId, 'RUNNING']);
        // Where the machine has stood still for as long as the answer takes, it was too late.
        if (!rows[0]) child = spawnProvisioner(own);
        return rows[0] as { id: string; attempts: number } | undefined;
      },
      { timeoutMs: 2 * patience, what: 'a worker that is killed at work' },
    );
    await own.sql.query(`update job set spec = jsonb_set(spec, '{config}', '{}') where id = $1`, [job.id]);
    child = spawnProvisioner(own);
    try {
      const done = await until(
        async () => (await own.sql.query(`select attempts, fence from job where id = $1 and status = 'SUCCEEDED'`, [job.id])).rows[0],
        { timeoutMs: patience, what: 'a rotation that another has finished' },
      );
      expect(done.attempts).toBe(job.attempts + 1);
      const { credentialJson } = await client.readCredential({ grantId: id });
      const good = await own.sql.query(
        'select 1 from simulated_target where fence = $1 and times_created = 1 and password_digest = sha256($2)',
        [done.fence, Buffer.from(passwordOf(credentialJson))],
      );
      expect(good.rowCount).toBe(1);
    } finally {
      await end(child, 'SIGKILL');
    }
  } finally {
    await own.close();
  }
}, 300_000);
