import { newId } from '@accessops/db';
import type { EventContext } from '@accessops/events';
import type { RequestApproved } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Spec } from '../jobs/job.ts';
import { queueJobs } from '../jobs/queue-jobs.ts';
import { targetOf } from '../plans/target-of.ts';
import { expiryOf } from './grant.ts';

interface Extended {
  id: string;
  access: Spec;
  expiresAt: string;
}

const find = `select id, access, expires_at as "expiresAt" from access_grant where tenant_id = ? and request_id = ? for update`;

/**
 * Queues a job for each approved extension. When the access has ended meanwhile, the job finds that out and fails: the request is told of
 * it like of any other. From now on nothing at the target is to end before the extended time.
 */
export const queueExtensions = async (approved: { ctx: EventContext; message: RequestApproved }[]): Promise<void> => {
  for (const { ctx, message } of approved) {
    const { requestId, requesterId, extendsRequestId, duration } = message;
    const [grant] = await ctx.em.execute<Extended[]>(find, [ctx.tenantId, extendsRequestId]);
    const until = expiryOf(grant ? new Date(grant.expiresAt) : ctx.now(), duration);
    const id = newId();
    const spec = { ...(grant?.access ?? { ...targetOf(message), key: id, handle: null }), until: until.toISOString() };
    await ctx.em.execute('update access_grant set lasts_until = greatest(lasts_until, ?) where id = ?', [until, grant?.id ?? null]);
    await queueJobs([{ ctx, job: { id, requestId, grantId: grant?.id ?? null, kind: 'EXTEND', requesterId, spec } }]);
  }
};
