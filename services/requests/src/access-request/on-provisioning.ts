import { type EventContext, heardOf, onTogether } from '@accessops/events';
import {
  GrantActivatedSchema,
  GrantEndedSchema,
  GrantExtendedSchema,
  JobFailedSchema,
  JobQueuedSchema,
  JobRetriedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { isId } from '../text.ts';
import { progressRequests, type Step } from './progress-requests.ts';

type StepOf = (ctx: EventContext) => Step | undefined;

const endOf = (status: string): 'EXPIRED' | 'REVOKED' => {
  if (status === 'EXPIRED' || status === 'REVOKED') return status;
  throw new Error(`No end of a grant: ${status}`);
};

const steps = new Map<string, StepOf>();

const step = <D extends DescMessage>(schema: D, read: (event: MessageShape<D>) => Omit<Step, 'ctx'> | undefined): void => {
  steps.set(schema.name, (ctx) => {
    const found = read(fromBinary(schema, ctx.event.payload));
    return found && { ctx, ...found };
  });
};

/** Other jobs say nothing of a request: they are about a grant. */
const ofProvisioning = (kind: string) => kind === 'PROVISION' || kind === 'EXTEND';

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
step(GrantExtendedSchema, ({ extensionRequestId, jobId, grantId }) => ({
  requestId: extensionRequestId,
  apply: (request) => request.activate(jobId, grantId),
}));
step(GrantEndedSchema, ({ requestId, grantId, status }) => ({
  requestId,
  apply: (request) => request.end(grantId, endOf(status)),
}));

/** The ends of grants as steps of the requests that extend them, those that are being filed at this moment too. */
const extensionSteps = async (contexts: EventContext[]): Promise<Step[]> => {
  const ends = heardOf(contexts, GrantEndedSchema).map(({ ctx, message: ended }) => ({ ctx, ended }));
  const [first] = ends;
  if (!first) return [];
  const ids = JSON.stringify(ends.map(({ ended }) => ended.requestId).filter(isId));
  const { em, tenantId } = first.ctx;
  // Whoever files an extension holds the first request.
  await em.execute('select from access_request where id in (select value::uuid from json_array_elements_text(?)) order by id for update', [
    ids,
  ]);
  const found = await em.execute<{ id: string; extended: string }[]>(
    `select id, extends_request_id as extended from access_request
     where tenant_id = ? and extends_request_id in (select value::uuid from json_array_elements_text(?))`,
    [tenantId, ids],
  );
  return found.flatMap(({ id, extended }) =>
    ends
      .filter(({ ended }) => ended.requestId === extended)
      .map(({ ctx, ended }) => ({ ctx, requestId: id, apply: (request) => request.endWith(ended.grantId, endOf(ended.status)) })),
  );
};

/** What provisioning tells of jobs and grants moves the requests they are for. */
export const onProvisioning = onTogether([...steps.keys()], async (contexts) => {
  const told = contexts.map((ctx) => steps.get(ctx.event.type)?.(ctx)).filter((one) => one !== undefined);
  await progressRequests([...told, ...(await extensionSteps(contexts))]);
});
