import { type EventContext, type Heard, heardOf, onTogether } from '@accessops/events';
import { RequestApprovedSchema, RequestClosedSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { expiryOf } from './grants/grant.ts';
import { moneyFrom } from './grants/money.ts';
import { queueExtensions } from './grants/queue-extensions.ts';
import { queueJobs } from './jobs/queue-jobs.ts';
import { dropPlans } from './plans/drop-plans.ts';
import { expectPlans, type PlanParts } from './plans/expect-plans.ts';
import { followPlans } from './plans/follow-plans.ts';
import { targetOf } from './plans/target-of.ts';

/** Approved requests get one job each. */
const queueApproved = async ({ em, tenantId }: EventContext, approved: Heard<typeof RequestApprovedSchema>[]): Promise<void> => {
  // What could never become a grant is parked with its error now, rather than found out by a worker.
  for (const { ctx, message } of approved) expiryOf(ctx.now(), message.duration);
  const wanted = new Map(approved.map(({ ctx, message }) => [message.requestId, { ctx, message, target: targetOf(message) }]));
  const jobIds = await followPlans(em, tenantId, new Map([...wanted].map(([requestId, { target }]) => [requestId, target])));
  await queueJobs(
    [...wanted].flatMap(([requestId, { ctx, message, target }]) => {
      const id = jobIds.get(requestId);
      if (!id) return [];
      const { requesterId, acr } = message;
      const spec = { ...target, key: id, acr, pricePerHour: moneyFrom(message.pricePerHour), handle: null };
      return { ctx, job: { id, requestId, grantId: null, kind: 'PROVISION', requesterId, spec } };
    }),
  );
};

/** What `requests` tells has access planned, then provisioned, or neither; of one request the beginning is always told first. */
export const onRequests = (parts: PlanParts) =>
  onTogether([RequestSubmittedSchema.name, RequestApprovedSchema.name, RequestClosedSchema.name], async (contexts) => {
    const [first] = contexts;
    if (!first) return;
    const submitted = heardOf(contexts, RequestSubmittedSchema).map(({ message }) => message);
    await expectPlans(first, parts, submitted);
    const approved = heardOf(contexts, RequestApprovedSchema);
    const others = approved.filter(({ message }) => !message.extendsRequestId);
    if (others.length > 0) await queueApproved(first, others);
    await queueExtensions(approved.filter(({ message }) => message.extendsRequestId));
    const closed = heardOf(contexts, RequestClosedSchema).map(({ message }) => message.requestId);
    if (closed.length > 0) await dropPlans(first.em, first.tenantId, closed);
  });
