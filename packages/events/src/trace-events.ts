import { faultOf, type Span, type Tracer } from '@accessops/telemetry';
import type { Event } from './event.ts';
import type { OutgoingMessage } from './publish.ts';

/** An event that goes out: its span, and the headers that name it. */
export const traceSent = (
  tracer: Tracer,
  { type, headers }: Pick<OutgoingMessage, 'type' | 'headers'>,
  subject: string,
): { span: Span | undefined; headers: Record<string, string> } => {
  const span = tracer.follow(headers.traceparent ?? '', `publish ${type}`, {
    kind: 'producer',
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.destination.name': subject,
      'messaging.message.id': headers['ce-id'] ?? '',
      'accessops.tenant.id': headers['ce-tenantid'] ?? '',
    },
  });
  return span ? { span, headers: { ...headers, traceparent: span.traceparent } } : { span, headers };
};

const begin = (tracer: Tracer, service: string, { id, type, tenantId, origin }: Event): Span | undefined =>
  tracer.follow(origin.traceparent, `process ${type}`, {
    kind: 'consumer',
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': service,
      'messaging.message.id': id,
      'accessops.tenant.id': tenantId,
      'accessops.request.id': origin.requestId,
    },
  });

/** Handles events, each within a span of its own trace: what the handler tells follows from that. Together they take as long as the slowest. */
export const handleTraced = async (
  tracer: Tracer | undefined,
  service: string,
  events: Event[],
  handle: (events: Event[]) => Promise<void>,
): Promise<void> => {
  if (!tracer) return handle(events);
  const spans: Span[] = [];
  const traced = events.map((event) => {
    const span = begin(tracer, service, event);
    if (!span) return event;
    spans.push(span);
    return { ...event, origin: { ...event.origin, traceparent: span.traceparent } };
  });
  let fault: string | undefined;
  try {
    await handle(traced);
  } catch (error) {
    fault = faultOf(error);
    throw error;
  } finally {
    for (const span of spans) span.end(fault);
  }
};
