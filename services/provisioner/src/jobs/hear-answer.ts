import { AppError } from '@accessops/errors';
import type { Event } from '@accessops/events';
import type { Call, Ctx } from '@accessops/service';
import type { Answer, Connectors, Message } from '../connector.ts';
import type { Sealed, Vault } from '../credentials/vault.ts';
import { accessOf } from './access-of.ts';
import { type AccessKind, changeKindsSql, type JobStatus, type Spec } from './job.ts';
import { emitProgress } from './job-events.ts';

/** What became of a message: it counts, it has counted before, or nobody waits for it any more. */
export type Hearing = 'ACCEPTED' | 'REPEATED' | 'STALE';

interface WaitingJob {
  id: string;
  tenantId: string;
  tenantSlug: string | null;
  requestId: string;
  requesterId: string;
  kind: AccessKind;
  status: JobStatus;
  attempts: number;
  fence: number;
  origin: Event['origin'];
  spec: Spec;
}

// The key is the id of the job that made the access. What is being done now is what has not ended: that job itself, when it runs again.
const find = `
  select job.id, job.tenant_id as "tenantId", job.request_id as "requestId", job.requester_id as "requesterId", job.kind, job.status,
    job.attempts, job.fence, job.origin, job.spec, slug as "tenantSlug"
  from job made join job on job.tenant_id = made.tenant_id
    and (job.request_id = made.request_id or job.grant_id = made.grant_id and job.kind in (${changeKindsSql}))
  left join tenant on tenant.tenant_id = job.tenant_id
  where made.id = ? order by job.status in ('QUEUED', 'RUNNING') desc, job.created_at desc limit 1`;

const keep = `
  insert into job_answer (job_id, tenant_id, fence, key_id, data_key, iv, ciphertext, tag) values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (job_id) do update set fence = excluded.fence, key_id = excluded.key_id, data_key = excluded.data_key, iv = excluded.iv,
    ciphertext = excluded.ciphertext, tag = excluded.tag where job_answer.fence < excluded.fence
  returning 1`;

const keepAnswer = async (
  { em, now }: Ctx,
  job: WaitingJob,
  fence: number,
  sealed: Sealed,
  outcome: Answer['outcome'],
): Promise<Hearing> => {
  const [current] = await em.execute<Pick<WaitingJob, 'fence' | 'status'>[]>('select fence, status from job where id = ? for update', [
    job.id,
  ]);
  if (!current || !['QUEUED', 'RUNNING'].includes(current.status)) return 'STALE';
  // Whatever an earlier attempt was answered has been replaced at the target.
  if (fence !== current.fence) return 'STALE';
  const { keyId, dataKey, iv, ciphertext, tag } = sealed;
  const kept = await em.execute<unknown[]>(keep, [job.id, job.tenantId, fence, keyId, dataKey, iv, ciphertext, tag]);
  if (kept.length === 0) return 'REPEATED';
  await em.execute(`update job set due_at = now() where id = ? and status = 'QUEUED'`, [job.id]);
  emitProgress({ em, now }, job, current.status, 'JOB_ANSWERED', { outcome: { after: outcome } });
  return 'ACCEPTED';
};

/**
 * Takes what a target tells later of the access of this key, and has the job that waits for it go on.
 * Errors: WEBHOOK_SIGNATURE_INVALID, also for an access that there is not; DEPENDENCY_UNAVAILABLE.
 */
export const hearAnswer = async (call: Call, connectors: Connectors, vault: Vault, key: string, message: Message): Promise<Hearing> => {
  const [job] = await call.read(({ em }) => em.execute<WaitingJob[]>(find, [key]), 'all-tenants');
  const connector = job && connectors.get(job.spec.connector);
  if (!job || !connector?.hear) throw new AppError('WEBHOOK_SIGNATURE_INVALID');
  const { fence, answer } = await connector.hear(accessOf({ ...job, grant: null, waitingSince: null }, call.now()), message);
  const sealed = await vault.seal(JSON.stringify(answer), job.spec.key);
  return call.write((ctx) => keepAnswer(ctx, job, fence, sealed, answer.outcome), 'all-tenants');
};
