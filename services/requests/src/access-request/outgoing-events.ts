import { type Event, headersOf } from '@accessops/events';

/** Events as the SQL functions take them for the outbox, as JSON. */
export const outgoingEvents = (events: Event[]): string =>
  JSON.stringify(
    events.map((event) => ({
      id: event.id,
      type: event.type,
      payload: Buffer.from(event.payload).toString('base64'),
      headers: headersOf('requests', event),
    })),
  );
