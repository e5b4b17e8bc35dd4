import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { CredentialReissuedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { findGrant } from '../grants/find-grant.ts';
import { Job } from '../jobs/job.ts';
import { queueJobs } from '../jobs/queue-jobs.ts';

// At the target the former one is replaced at some moment that nobody here knows: it is not handed out any more from now on.
const giveUp = `
  update credential set key_id = null, data_key = null, iv = null, ciphertext = null, tag = null
  where grant_id = ? and read_at is null returning 1`;

/**
 * Has the credential of an active grant replaced at the target, for its holder, who has not read it; answers the job. Of this, a read and
 * an end of the grant at the same moment, the row locks let one through first.
 * Errors: GRANT_NOT_FOUND, PERMISSION_DENIED, GRANT_NOT_ACTIVE, CREDENTIAL_ALREADY_READ, CREDENTIAL_BEING_REISSUED.
 */
export const reissueCredential = async (ctx: Ctx, grantId: string): Promise<Job> => {
  const grant = await findGrant(ctx, grantId, 'reissue_credential');
  await ctx.em.refresh(grant, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!grant.isUsable(ctx.now())) throw new AppError('GRANT_NOT_ACTIVE');
  const unread = await ctx.em.execute<unknown[]>(giveUp, [grantId]);
  if (unread.length === 0) throw new AppError('CREDENTIAL_ALREADY_READ');
  const { requestId, holderId, access } = grant;
  const id = newId();
  const queued = await queueJobs([{ ctx, job: { id, requestId, grantId, kind: 'ROTATE', requesterId: holderId, spec: access } }]);
  if (!queued.has(id)) throw new AppError('CREDENTIAL_BEING_REISSUED');
  emit(ctx, CredentialReissuedSchema, { grantId, requestId, jobId: id }, requestId, {
    action: 'CREDENTIAL_REISSUE_REQUESTED',
    entityType: 'GRANT',
    entityId: grantId,
  });
  return ctx.em.findOneOrFail(Job, { id });
};
