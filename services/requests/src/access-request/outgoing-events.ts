import { type Event, outgoing, tells } from '@accessops/events';

const requests = { service: 'requests', tells: tells.requests };

/** Events as the SQL functions take them for the outbox, as JSON. */
export const outgoingEvents = (events: Event[]): string => JSON.stringify(events.map((event) => outgoing(requests, event)));
