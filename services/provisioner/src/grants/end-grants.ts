import { newId } from '@accessops/db';
import { type EventContext, emit, type WriteContext } from '@accessops/events';
import { GrantRevocationChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Spec } from '../jobs/job.ts';
import { asService, type Background } from '../jobs/job-events.ts';
import { type Queueing, queueJobs } from '../jobs/queue-jobs.ts';
import { stopChanges } from '../jobs/stop-changes.ts';
import { type EndReason, Grant } from './grant.ts';

interface Ending {
  id: string;
  tenantId: string;
  requestId: string;
  holderId: string;
  access: Spec;
  origin: WriteContext['origin'];
}

/**
 * Begins the end of those of the grants that are still ACTIVE: REVOKING, credential wiped, changes given up, a job that takes the access away.
 * Of several ends at once (expiry, withdrawal, revocation) the first to commit is the one. `by` acts; otherwise the service
 * does, because of the call that led to the grant. Answers the ids that it ended.
 */
export const endGrants = async (background: Background, ids: string[], reason: EndReason, by?: WriteContext): Promise<string[]> => {
  if (ids.length === 0) return [];
  const { em } = background;
  const ending = await em.execute<Ending[]>(
    `update access_grant set status = 'REVOKING', end_reason = ?, version = version + 1
     where id in (${ids.map(() => '?').join(', ')}) and status = 'ACTIVE'
     returning id, tenant_id as "tenantId", request_id as "requestId", holder_id as "holderId", access, origin`,
    [reason, ...ids],
  );
  if (ending.length === 0) return [];
  await em.execute(
    `update credential set key_id = null, data_key = null, iv = null, ciphertext = null, tag = null
     where grant_id in (${ending.map(() => '?').join(', ')})`,
    ending.map(({ id }) => id),
  );
  const ends = ending.map((grant) => ({ grant, ctx: by ?? asService(background, grant) }));
  const busyUntil = await stopChanges(new Map(ends.map(({ grant, ctx }) => [grant.id, ctx])));
  const queueings: Queueing[] = [];
  for (const { grant, ctx } of ends) {
    const { id, requestId } = grant;
    emit(ctx, GrantRevocationChangedSchema, { grantId: id, requestId, status: 'REVOKING' }, requestId, {
      action: 'GRANT_REVOCATION_STARTED',
      entityType: 'GRANT',
      entityId: id,
      changes: { status: { before: 'ACTIVE', after: 'REVOKING' }, reason: { after: reason } },
    });
    const { holderId: requesterId, access: spec } = grant;
    queueings.push({ ctx, job: { id: newId(), requestId, grantId: id, kind: 'REVOKE', requesterId, spec, dueAt: busyUntil.get(id) } });
  }
  await queueJobs(queueings);
  return ending.map(({ id }) => id);
};

/** Begins the end of all ACTIVE grants of a tenant, of somebody there or to a resource, as told by the event of `ctx`. */
export const endGrantsWhere = async (
  ctx: EventContext,
  whose: { tenantId: string; holderId?: string; resourceId?: string },
  reason: EndReason,
): Promise<void> => {
  const grants = await ctx.em.find(Grant, { ...whose, status: 'ACTIVE' }, { fields: ['id'] });
  await endGrants(
    ctx,
    grants.map(({ id }) => id),
    reason,
    ctx,
  );
};
