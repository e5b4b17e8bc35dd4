import { on } from '@accessops/events';
import { RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { openCase } from './open-case.ts';

/** A request with stages waits for votes; one without is approved by itself. */
export const onRequestSubmitted = on(RequestSubmittedSchema, async ({ em, tenantId, event: { occurredAt } }, submitted) => {
  if (submitted.stages.length === 0) return;
  const { submittedAt } = submitted;
  await openCase(em, tenantId, { ...submitted, createdAt: submittedAt ? timestampDate(submittedAt) : occurredAt });
});
