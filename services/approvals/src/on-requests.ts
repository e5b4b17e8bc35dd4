import { executePrepared } from '@accessops/db';
import { type Event, onTogether } from '@accessops/events';
import { RequestApprovedSchema, RequestClosedSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { EntityManager } from '@mikro-orm/postgresql';
import { closeCase } from './close-case.ts';
import { openCases } from './open-cases.ts';
import type { Submission } from './submission.ts';

interface Heard<D extends DescMessage> {
  at: Date;
  message: MessageShape<D>;
}

const heardOf = <D extends DescMessage>(events: Event[], schema: D): Heard<D>[] =>
  events
    .filter(({ type }) => type === schema.name)
    .map(({ occurredAt, payload }) => ({ at: occurredAt, message: fromBinary(schema, payload) }));

const submissionOf = ({ at, message }: Heard<typeof RequestSubmittedSchema>): Submission => ({
  ...message,
  createdAt: message.submittedAt ? timestampDate(message.submittedAt) : at,
});

const approveCases = (em: EntityManager, approved: Heard<typeof RequestApprovedSchema>[]) =>
  executePrepared(
    em,
    `update approval_case c set status = 'APPROVED', decided_at = a.at, version = c.version + 1
     from json_to_recordset($1) as a (id uuid, at timestamptz) where c.request_id = a.id and c.request_id = any($2::uuid[]) and c.status = 'PENDING'`,
    [JSON.stringify(approved.map(({ at, message }) => ({ id: message.requestId, at }))), approved.map(({ message }) => message.requestId)],
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
    const events = contexts.map(({ event }) => event);
    const submissions = heardOf(events, RequestSubmittedSchema)
      .map(submissionOf)
      .filter(({ stages }) => stages.length > 0);
    if (submissions.length > 0) await openCases(em, tenantId, submissions);
    const approved = heardOf(events, RequestApprovedSchema);
    if (approved.length > 0) await approveCases(em, approved);
    for (const { at, message } of heardOf(events, RequestClosedSchema)) {
      await closeCase(em, tenantId, { requestId: message.requestId, status: message.status === 'REJECTED' ? 'REJECTED' : 'CANCELLED', at });
    }
  },
);
