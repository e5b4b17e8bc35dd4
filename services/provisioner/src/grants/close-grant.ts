import { AppError, invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseReason, reasonRule } from '@accessops/names';
import { GrantEndedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { raw } from '@mikro-orm/postgresql';
import { Job } from '../jobs/job.ts';
import { emitFailed } from '../jobs/job-events.ts';
import { findGrant } from './find-grant.ts';
import { Grant } from './grant.ts';
import { moneyToProto } from './money.ts';

const stopRevocation = async (ctx: Ctx, { id, requestId }: Grant): Promise<void> => {
  const job = await ctx.em.findOne(Job, { grantId: id, kind: 'REVOKE', status: { $in: ['QUEUED', 'RUNNING'] } });
  if (!job) return;
  const lastError = 'The grant was closed by an admin';
  // A worker that has it just now finds that it is over.
  const open = { id: job.id, status: job.status };
  const stopped = await ctx.em.nativeUpdate(Job, open, { status: 'FAILED', lastError, finishedAt: ctx.now() });
  if (stopped === 0) throw new AppError('VERSION_CONFLICT');
  emitFailed(ctx, { id: job.id, requestId, kind: job.kind }, job.status, lastError);
};

/**
 * Ends a grant whose target does not let go, on the word of an admin, who gives the reason. The attempts stop; should the target come
 * back, the failed job can be run again. Errors: GRANT_NOT_FOUND, GRANT_NOT_STUCK, INVALID_FIELDS, VERSION_CONFLICT, PERMISSION_DENIED.
 */
export const closeGrant = async (ctx: Ctx, id: string, reason: string): Promise<Grant> => {
  const grant = await findGrant(ctx, id, 'close');
  const why = parseReason(reason);
  if (why === undefined) throw invalidField('/reason', reasonRule);
  const endedAt = ctx.now();
  const closed = await ctx.em.nativeUpdate(
    Grant,
    { id, tenantId: ctx.tenantId, status: 'REVOKE_FAILED' },
    { status: 'REVOKED', endedAt, version: raw('version + 1') },
  );
  if (closed === 0) throw new AppError('GRANT_NOT_STUCK');
  await stopRevocation(ctx, grant);
  const { requestId, activatedAt, access } = grant;
  const costing = {
    activatedAt: timestampFromDate(activatedAt),
    endedAt: timestampFromDate(endedAt),
    pricePerHour: moneyToProto(access.pricePerHour),
  };
  emit(ctx, GrantEndedSchema, { grantId: id, requestId, status: 'REVOKED', ...costing }, requestId, {
    action: 'GRANT_CLOSED',
    entityType: 'GRANT',
    entityId: id,
    changes: { status: { before: 'REVOKE_FAILED', after: 'REVOKED' }, reason: { after: why } },
  });
  return ctx.em.refreshOrFail(grant);
};
