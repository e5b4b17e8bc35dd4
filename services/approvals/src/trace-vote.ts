import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { Call } from '@accessops/service';
import type { Span } from '@accessops/telemetry';

/**
 * Begins the span of a vote in the trace of the request that is voted on, linked to the call that casts it: what the vote leads to belongs to the
 * request, up to its grant. A request whose trace is not recorded leaves all in the trace of the call.
 */
export const traceVote = (call: Call, { id, traceparent }: AccessRequest): Span | undefined => {
  const span = call.tracer?.follow(traceparent, 'vote', {
    kind: 'internal',
    link: call.origin.traceparent,
    attributes: { 'accessops.request.id': call.origin.requestId, 'accessops.tenant.id': call.tenantId, 'accessops.access_request.id': id },
  });
  if (span) call.origin.traceparent = span.traceparent;
  return span;
};
