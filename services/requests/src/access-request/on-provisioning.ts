import { type EventContext, onTogether } from '@accessops/events';
import {
  GrantActivatedSchema,
  GrantEndedSchema,
  JobFailedSchema,
  JobQueuedSchema,
  JobRetriedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { progressRequests, type Step } from './progress-requests.ts';

type StepOf = (ctx: EventContext) => Step | undefined;

const steps = new Map<string, StepOf>();

const step = <D extends DescMessage>(schema: D, read: (event: MessageShape<D>) => Omit<Step, 'ctx'> | undefined): void => {
  steps.set(schema.name, (ctx) => {
    const found = read(fromBinary(schema, ctx.event.payload));
    return found && { ctx, ...found };
  });
};

/** Jobs that take access away say nothing of the request: the end of the grant does. */
const ofProvisioning = (kind: string) => kind === 'PROVISION';

step(JobQueuedSchema, ({ kind, requestId, jobId }) =>
  ofProvisioning(kind) ? { requestId, apply: (request) => request.queue(jobId) } : undefined,
);
step(JobFailedSchema, ({ kind, requestId, jobId }) =>
  ofProvisioning(kind) ? { requestId, apply: (request) => request.fail(jobId) } : undefined,
);
step(JobRetriedSchema, ({ kind, requestId, jobId }) =>
  ofProvisioning(kind) ? { requestId, apply: (request) => request.retry(jobId) } : undefined,
);
step(GrantActivatedSchema, ({ requestId, jobId, grantId }) => ({ requestId, apply: (request) => request.activate(jobId, grantId) }));
step(GrantEndedSchema, ({ requestId, grantId, status }) => {
  if (status !== 'EXPIRED' && status !== 'REVOKED') throw new Error(`No end of a grant: ${status}`);
  return { requestId, apply: (request) => request.end(grantId, status) };
});

/** What provisioning tells of jobs and grants moves the requests they are for. */
export const onProvisioning = onTogether([...steps.keys()], (contexts) =>
  progressRequests(contexts.map((ctx) => steps.get(ctx.event.type)?.(ctx)).filter((one) => one !== undefined)),
);
