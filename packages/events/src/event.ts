import { noTenant } from '@accessops/db';
import type { Actor, ActorSchema, Origin, OriginSchema } from '@accessops/proto/accessops/common/v1/common_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JsMsg } from 'nats';
import { toldOn } from './topology.ts';

export type ActorInit = MessageInitShape<typeof ActorSchema>;
export type OriginInit = MessageInitShape<typeof OriginSchema>;
export type { Actor, Origin };

/** An event as it lies in an outbox or arrives from a stream. */
export interface Event {
  id: string;
  /** Message name: RequestSubmitted. */
  type: string;
  tenantId: string;
  /** What it is about; order is kept among events of one aggregate. */
  aggregateId: string;
  occurredAt: Date;
  origin: { requestId: string; ip: string; userAgent: string; traceparent: string };
  payload: Uint8Array;
}

const encode = (value: string) => encodeURIComponent(value);

/** CloudEvents 1.0 attributes as `ce-` headers (binary content mode), with AccessOps' extensions. */
export const headersOf = (service: string, event: Event): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': event.id,
  'ce-type': event.type,
  'ce-source': `/${service}`,
  'ce-subject': encode(event.aggregateId),
  'ce-time': event.occurredAt.toISOString(),
  'ce-tenantid': event.tenantId,
  'ce-requestid': encode(event.origin.requestId),
  'ce-clientip': encode(event.origin.ip),
  'ce-useragent': encode(event.origin.userAgent),
  ...(event.origin.traceparent ? { traceparent: event.origin.traceparent } : {}),
  'content-type': 'application/protobuf',
});

/** Who tells events: what is not theirs to tell gets into no outbox. */
export interface Teller {
  service: string;
  /** Types of events. */
  tells: readonly string[];
}

/** An event as statements take it for the outbox of its service, in JSON: the payload in base64. */
export const outgoing = ({ service, tells }: Teller, event: Event) => {
  if (!tells.includes(event.type)) throw new Error(`${event.type} is not for ${service} to tell`);
  return {
    id: event.id,
    type: event.type,
    payload: Buffer.from(event.payload).toString('base64'),
    headers: headersOf(service, event),
  };
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

/** Reads an event back from its subject, headers and body. `newId` names what came without a proper id, which nothing of ours does. */
export const eventOf = (header: (name: string) => string, payload: Uint8Array, subject: string, newId: () => string): Event => {
  const id = header('ce-id');
  const tenantId = header('ce-tenantid');
  const time = new Date(header('ce-time'));
  return {
    id: uuid.test(id) ? id : newId(),
    type: toldOn(subject).type,
    tenantId: uuid.test(tenantId) ? tenantId : noTenant,
    aggregateId: decode(header('ce-subject')),
    occurredAt: Number.isNaN(time.getTime()) ? new Date(0) : time,
    origin: {
      requestId: decode(header('ce-requestid')),
      ip: decode(header('ce-clientip')),
      userAgent: decode(header('ce-useragent')),
      traceparent: header('traceparent'),
    },
    payload,
  };
};

/** All headers of a message, as a plain object. */
export const plainHeaders = (message: JsMsg): Record<string, string> =>
  Object.fromEntries([...(message.headers ?? [])].map(([name, values]) => [name, values[0] ?? '']));
