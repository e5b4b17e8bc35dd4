import { newId } from '@accessops/db';
import { type EventContext, onTogether } from '@accessops/events';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { z } from 'zod';
import { expiryOf } from './grants/grant.ts';
import { type NewJob, queueJobs } from './jobs/queue-jobs.ts';

const settings = z.record(z.string(), z.unknown());
const parse = (json: string) => settings.parse(JSON.parse(json || '{}'));

const jobOf = (ctx: EventContext): NewJob => {
  const event = fromBinary(RequestApprovedSchema, ctx.event.payload);
  const { requestId, requesterId, connector, resourceId, resourceKey, role, duration, acr } = event;
  // What could never become a grant is parked with its error now, rather than found out by a worker.
  expiryOf(ctx.now(), duration);
  const config = parse(event.configJson);
  const parameters = parse(event.parametersJson);
  const id = newId();
  const spec = { connector, key: id, resourceId, resourceKey, role, duration, config, parameters, acr, handle: null };
  return { id, requestId, grantId: null, kind: 'PROVISION', requesterId, spec };
};

/** Approved requests get one job each. */
export const onRequestApproved = onTogether([RequestApprovedSchema.name], (contexts) =>
  queueJobs(contexts.map((ctx) => ({ ctx, job: jobOf(ctx) }))),
);
