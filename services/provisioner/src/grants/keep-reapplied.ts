import { emit } from '@accessops/events';
import { GrantReappliedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { asService, type Background, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';

const rowOf = ({ job, outcome }: SettlementOf<'reapplied'>) => ({
  job_id: job.id,
  attempts: job.attempts,
  grant_id: outcome.grantId,
  handle: outcome.handle,
  key_id: outcome.sealed.keyId,
  data_key: outcome.sealed.dataKey.toString('base64'),
  iv: outcome.sealed.iv.toString('base64'),
  ciphertext: outcome.sealed.ciphertext.toString('base64'),
  tag: outcome.sealed.tag.toString('base64'),
});

const keep = `
  with made as (
    select * from jsonb_to_recordset(?) as made (job_id uuid, attempts integer, grant_id uuid, handle jsonb, key_id text, data_key text,
      iv text, ciphertext text, tag text)
  ), done as (
    update job set status = 'SUCCEEDED', finished_at = ?
    from made where job.id = made.job_id and job.attempts = made.attempts and job.status = 'RUNNING'
    returning job.id
  ), granted as (
    update access_grant set access = jsonb_set(access, '{handle}', made.handle), version = version + 1
    from made join done on done.id = made.job_id where access_grant.id = made.grant_id
  ), kept as (
    update credential set read_at = null, key_id = made.key_id, data_key = decode(made.data_key, 'base64'), iv = decode(made.iv, 'base64'),
      ciphertext = decode(made.ciphertext, 'base64'), tag = decode(made.tag, 'base64')
    from made join done on done.id = made.job_id where credential.grant_id = made.grant_id
  )
  select id from done`;

/**
 * Keeps what the holders of access that was put back log in with from now on; they may read it once, also when they have read the former one.
 * The end of a grant has ended its jobs: what comes after that is not kept.
 */
export const keepReapplied = async (background: Background, settlements: SettlementOf<'reapplied'>[]): Promise<void> => {
  if (settlements.length === 0) return;
  const { em } = background;
  // Whoever ends grants locks them first, too.
  const ids = settlements.map(({ outcome }) => outcome.grantId);
  await em.execute(`select from access_grant where id in (${ids.map(() => '?').join(', ')}) order by id for update`, ids);
  const done = await em.execute<{ id: string }[]>(keep, [JSON.stringify(settlements.map(rowOf)), background.now()]);
  const kept = new Set(done.map(({ id }) => id));
  for (const { job, outcome } of settlements.filter(({ job }) => kept.has(job.id))) {
    const { id: jobId, requestId } = job;
    const { grantId } = outcome;
    emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
    emit(asService(background, job), GrantReappliedSchema, { grantId, requestId, jobId }, requestId, {
      action: 'GRANT_REAPPLIED',
      entityType: 'GRANT',
      entityId: grantId,
      changes: { credential: { after: 'renewed' } },
    });
  }
};
