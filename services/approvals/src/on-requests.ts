import { executePrepared } from '@accessops/db';
import { type Heard, heardOf, onTogether } from '@accessops/events';
import { RequestApprovedSchema, RequestClosedSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { EntityManager } from '@mikro-orm/postgresql';
import { closeCase } from './close-case.ts';
import { openCases } from './open-cases.ts';
import type { Submission } from './submission.ts';

const submissionOf = ({ ctx, message }: Heard<typeof RequestSubmittedSchema>): Submission => ({
  ...message,
  createdAt: message.submittedAt ? timestampDate(message.submittedAt) : ctx.event.occurredAt,
});

const approveCases = (em: EntityManager, approved: Heard<typeof RequestApprovedSchema>[]) =>
  executePrepared(
    em,
    `update approval_case c set status = 'APPROVED', decided_at = a.at, version = c.version + 1
     from json_to_recordset($1) as a (id uuid, at timestamptz) where c.request_id = a.id and c.request_id = any($2::uuid[]) and c.status = 'PENDING'`,
    [
      JSON.stringify(approved.map(({ ctx, message }) => ({ id: message.requestId, at: ctx.event.occurredAt }))),
      approved.map(({ message }) => message.requestId),
    ],
  );

/**
 * What `requests` tells opens cases and ends them; of one request the beginning is always told first. A request with stages waits for
 * votes; one without is approved by itself. A case that votes have decided has mostly said so itself. When a request is over without
 * access, nobody votes any more, and what the votes had said is settled otherwise.
 */
export const onRequests = onTogether(
  [RequestSubmittedSchema.name, RequestApprovedSchema.name, RequestClosedSchema.name],
  async (contexts) => {
    const [first] = contexts;
    if (!first) return;
    const { em, tenantId } = first;
    const submissions = heardOf(contexts, RequestSubmittedSchema)
      .map(submissionOf)
      .filter(({ stages }) => stages.length > 0);
    if (submissions.length > 0) await openCases(em, tenantId, submissions);
    const approved = heardOf(contexts, RequestApprovedSchema);
    if (approved.length > 0) await approveCases(em, approved);
    for (const { ctx, message } of heardOf(contexts, RequestClosedSchema)) {
      await closeCase(em, tenantId, {
        requestId: message.requestId,
        status: message.status === 'REJECTED' ? 'REJECTED' : 'CANCELLED',
        at: ctx.event.occurredAt,
      });
    }
  },
);
