import { emit } from '@accessops/events';
import { CredentialReissuedSchema, GrantExtendedSchema, GrantReappliedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ClaimedJob } from '../jobs/job.ts';
import { asService, type Background, emitFailed, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';

interface Changed {
  requestId: string;
  expiresAt: string;
  inForce: boolean;
}

const lock = `select request_id as "requestId", expires_at as "expiresAt", status = 'ACTIVE' and expires_at > ? as "inForce"
  from access_grant where id = ? for update`;

const endJob = `update job set status = ?, last_error = coalesce(?, last_error), finished_at = ?, steps = ? where id = ? and attempts = ? and status = 'RUNNING' returning 1`;

// Whatever an earlier attempt has brought the target has replaced.
const keep = `
  update credential set read_at = null, fence = ?, key_id = ?, data_key = ?, iv = ?, ciphertext = ?, tag = ?
  where grant_id = ? and fence < ?`;

const tellRenewed = (background: Background, { id: jobId, requestId, kind, ...job }: ClaimedJob, grantId: string): void => {
  const [schema, action] =
    kind === 'REAPPLY' ? [GrantReappliedSchema, 'GRANT_REAPPLIED'] : [CredentialReissuedSchema, 'CREDENTIAL_REISSUED'];
  const changes = { credential: { after: 'renewed' } };
  emit(asService(background, job), schema, { grantId, requestId, jobId }, requestId, {
    action,
    entityType: 'GRANT',
    entityId: grantId,
    changes,
  });
};

const moveEnd = async (background: Background, job: ClaimedJob, grantId: string, grant: Changed, isRenewed: boolean): Promise<void> => {
  const before = new Date(grant.expiresAt);
  const wanted = new Date(job.spec.until ?? before);
  const expiresAt = wanted > before ? wanted : before;
  await background.em.execute('update access_grant set expires_at = ?, version = version + 1 where id = ?', [expiresAt, grantId]);
  const { requestId } = grant;
  // In the order of the grant: before its end.
  emit(
    asService(background, job),
    GrantExtendedSchema,
    { grantId, requestId, extensionRequestId: job.requestId, jobId: job.id, expiresAt: timestampFromDate(expiresAt) },
    requestId,
    {
      action: 'GRANT_EXTENDED',
      entityType: 'GRANT',
      entityId: grantId,
      changes: {
        expiresAt: { before: before.toISOString(), after: expiresAt.toISOString() },
        ...(isRenewed && { credential: { after: 'renewed' } }),
      },
    },
  );
};

const tooLate = 'The access had ended before it was extended';

/**
 * Records that the access of a grant was changed at the target: it ends later, or its holder may read another credential once, also after
 * the former one. Nothing is recorded when the grant is ending, and an extension comes too late for one whose time is up.
 */
export const settleChange = async (background: Background, { job, outcome, steps }: SettlementOf<'changed'>): Promise<void> => {
  const { em, now } = background;
  const { id, attempts, kind, fence } = job;
  const { grantId, sealed, handle } = outcome;
  const at = now();
  const [grant] = await em.execute<Changed[]>(lock, [at, grantId]);
  if (!grant) return;
  const isLate = kind === 'EXTEND' && !grant.inForce;
  const ending = isLate ? ['FAILED', tooLate] : ['SUCCEEDED', null];
  const done = await em.execute<unknown[]>(endJob, [...ending, at, JSON.stringify(steps), id, attempts]);
  if (done.length === 0) return;
  if (isLate) {
    emitFailed(asService(background, job), job, 'RUNNING', tooLate);
    return;
  }
  if (sealed) {
    const { keyId, dataKey, iv, ciphertext, tag } = sealed;
    await em.execute(keep, [fence, keyId, dataKey, iv, ciphertext, tag, grantId, fence]);
  }
  if (handle) {
    const set = `update access_grant set access = jsonb_set(access, '{handle}', ?), version = version + 1 where id = ?`;
    await em.execute(set, [JSON.stringify(handle), grantId]);
  }
  emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
  if (kind === 'EXTEND') await moveEnd(background, job, grantId, grant, sealed !== null);
  else tellRenewed(background, job, grantId);
};
