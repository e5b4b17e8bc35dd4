import { newId } from '@accessops/db';
import { on } from '@accessops/events';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { z } from 'zod';
import { expiryOf } from './grants/grant.ts';
import { queueJob } from './jobs/queue-job.ts';

const settings = z.record(z.string(), z.unknown());
const parse = (json: string) => settings.parse(JSON.parse(json || '{}'));

/** An approved request gets its one job. */
export const onRequestApproved = on(RequestApprovedSchema, async (ctx, event) => {
  const { requestId, requesterId, connector, resourceId, resourceKey, role, duration } = event;
  // What could never become a grant is parked with its error now, rather than found out by a worker.
  expiryOf(ctx.now(), duration);
  const config = parse(event.configJson);
  const parameters = parse(event.parametersJson);
  const id = newId();
  const spec = { connector, key: id, resourceId, resourceKey, role, duration, config, parameters, handle: null };
  await queueJob(ctx, { id, requestId, grantId: null, kind: 'PROVISION', requesterId, spec });
});
