import { executePrepared } from '@accessops/db';
import { emit } from '@accessops/events';
import { GrantActivatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { asService, type Background, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';
import { type Loss, lockStandings, losses, lossOf } from '../standing.ts';
import { endGrants } from './end-grants.ts';
import { expiryOf } from './grant.ts';
import { moneyToProto } from './money.ts';

const rowOf = ({ job, outcome, steps }: SettlementOf<'provisioned'>, now: Date) => ({
  job_id: job.id,
  attempts: job.attempts,
  steps,
  grant_id: outcome.grantId,
  expires_at: expiryOf(now, job.spec.duration),
  access: { ...job.spec, handle: outcome.handle },
  key_id: outcome.sealed.keyId,
  data_key: outcome.sealed.dataKey.toString('base64'),
  iv: outcome.sealed.iv.toString('base64'),
  ciphertext: outcome.sealed.ciphertext.toString('base64'),
  tag: outcome.sealed.tag.toString('base64'),
});

const activate = `
  with made as (
    select * from jsonb_to_recordset($1) as made (job_id uuid, attempts integer, steps jsonb, grant_id uuid, expires_at timestamptz, access jsonb,
      key_id text, data_key text, iv text, ciphertext text, tag text)
  ), done as (
    update job set status = 'SUCCEEDED', grant_id = made.grant_id, finished_at = $2, steps = made.steps
    from made where job.id = made.job_id and job.attempts = made.attempts and job.status = 'RUNNING' and job.id = any($3::uuid[])
    returning job.id, job.tenant_id, job.request_id, job.requester_id, job.origin, job.spec
  ), granted as (
    insert into access_grant
      (id, tenant_id, request_id, holder_id, resource_id, role, status, activated_at, expires_at, access, origin)
    select grant_id, tenant_id, request_id, requester_id, (access ->> 'resourceId')::uuid, access ->> 'role', 'ACTIVE', $2, expires_at,
      access, origin
    from done join made on made.job_id = done.id
  ), watched as (
    insert into reconciled_resource (tenant_id, resource_id, looked_at)
    select distinct tenant_id, (access ->> 'resourceId')::uuid, now() from done join made on made.job_id = done.id order by 1, 2
    on conflict do nothing
  ), kept as (
    insert into credential (grant_id, tenant_id, key_id, data_key, iv, ciphertext, tag)
    select grant_id, tenant_id, key_id, decode(data_key, 'base64'), decode(iv, 'base64'), decode(ciphertext, 'base64'),
      decode(tag, 'base64')
    from done join made on made.job_id = done.id
  )
  select done.id, ${lossOf('done')} as loss from done`;

/**
 * Makes grants of what jobs have provisioned: job SUCCEEDED, grant ACTIVE, credential sealed. Whoever may hold it no more
 * has it ended at once.
 */
export const activateGrants = async (background: Background, settlements: SettlementOf<'provisioned'>[]): Promise<void> => {
  if (settlements.length === 0) return;
  const { em } = background;
  const now = background.now();
  await lockStandings(
    em,
    settlements.map(({ job }) => ({ tenantId: job.tenantId, userId: job.requesterId, resourceId: job.spec.resourceId })),
  );
  const rows = settlements.map((settlement) => rowOf(settlement, now));
  const done = await executePrepared<{ id: string; loss: Loss | null }>(em, activate, [
    JSON.stringify(rows),
    now,
    rows.map((row) => row.job_id),
  ]);
  const lossOfJob = new Map(done.map(({ id, loss }) => [id, loss]));
  const active = settlements.filter(({ job }) => lossOfJob.has(job.id));
  for (const { job, outcome } of active) {
    emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
    const expiresAt = expiryOf(now, job.spec.duration);
    emit(
      asService(background, job),
      GrantActivatedSchema,
      {
        grantId: outcome.grantId,
        requestId: job.requestId,
        jobId: job.id,
        expiresAt: timestampFromDate(expiresAt),
        activatedAt: timestampFromDate(now),
        pricePerHour: moneyToProto(job.spec.pricePerHour),
      },
      job.requestId,
      {
        action: 'GRANT_ACTIVATED',
        entityType: 'GRANT',
        entityId: outcome.grantId,
        changes: { status: { after: 'ACTIVE' }, holderId: { after: job.requesterId }, expiresAt: { after: expiresAt.toISOString() } },
      },
    );
  }
  for (const reason of losses) {
    const lost = active.filter(({ job }) => lossOfJob.get(job.id) === reason).map(({ outcome }) => outcome.grantId);
    await endGrants(background, lost, reason);
  }
};
