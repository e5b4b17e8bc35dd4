import { emit } from '@accessops/events';
import { CredentialReissuedSchema, GrantReappliedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { asService, type Background, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';

const succeed = `update job set status = 'SUCCEEDED', finished_at = ? where id = ? and attempts = ? and status = 'RUNNING' returning 1`;

const keep = `
  update credential set read_at = null, key_id = ?, data_key = ?, iv = ?, ciphertext = ?, tag = ? where grant_id = ?`;

const tellings = {
  ROTATE: { schema: CredentialReissuedSchema, action: 'CREDENTIAL_REISSUED' },
  REAPPLY: { schema: GrantReappliedSchema, action: 'GRANT_REAPPLIED' },
} as const;

/**
 * Records that the access of a grant was made anew at the target; its holder may read the new credential once, also after the former one.
 * Nothing is recorded when the grant is ending.
 */
export const settleChange = async (background: Background, { job, outcome }: SettlementOf<'changed'>): Promise<void> => {
  const { em, now } = background;
  const { id, attempts, requestId } = job;
  const { grantId } = outcome;
  await em.execute('select from access_grant where id = ? for update', [grantId]);
  const done = await em.execute<unknown[]>(succeed, [now(), id, attempts]);
  if (done.length === 0) return;
  const { keyId, dataKey, iv, ciphertext, tag } = outcome.sealed;
  await em.execute(keep, [keyId, dataKey, iv, ciphertext, tag, grantId]);
  await em.execute(`update access_grant set access = jsonb_set(access, '{handle}', ?), version = version + 1 where id = ?`, [
    JSON.stringify(outcome.handle),
    grantId,
  ]);
  emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
  const { schema, action } = tellings[job.kind === 'REAPPLY' ? 'REAPPLY' : 'ROTATE'];
  emit(asService(background, job), schema, { grantId, requestId, jobId: id }, requestId, {
    action,
    entityType: 'GRANT',
    entityId: grantId,
    changes: { credential: { after: 'renewed' } },
  });
};
