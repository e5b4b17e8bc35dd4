import { type Event, outgoing } from '@accessops/events';

/** Events as the SQL functions take them for the outbox, as JSON. */
export const outgoingEvents = (events: Event[]): string => JSON.stringify(events.map((event) => outgoing('requests', event)));
