import { headers as natsHeaders, type PubAck } from 'nats';
import type { Broker } from './broker.ts';
import { subjectOf } from './topology.ts';

/** An event on its way into a stream. */
export interface OutgoingMessage {
  type: string;
  payload: Uint8Array;
  headers: Record<string, string>;
  /** The stream takes a message id once within its window. */
  messageId: string;
}

/** Puts one event into the stream of the service that tells it. */
export const publish = (
  { js }: Broker,
  namespace: string,
  service: string,
  { type, payload, headers, messageId }: OutgoingMessage,
): Promise<PubAck> => {
  const named = natsHeaders();
  for (const [name, value] of Object.entries(headers)) named.set(name, value);
  return js.publish(subjectOf(namespace, service, type), payload, { msgID: messageId, headers: named });
};
