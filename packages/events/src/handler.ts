import type { Logger } from '@accessops/telemetry';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import type { Event } from './event.ts';
import { everyType, type Tellers } from './topology.ts';
import type { WriteContext } from './unit-of-work.ts';

/** What a reaction to an event works with; it acts as the service itself. */
export interface EventContext extends WriteContext {
  event: Event;
  log: Logger;
}

/** Reacts to one type of event, inside the transaction that also records that it was handled. */
export interface Subscription {
  /** `everyType`: takes what no other subscription takes. */
  type: string;
  run(ctx: EventContext): Promise<void>;
  /** Reacts to all that arrived together, in order; subscriptions that have the same function share it. */
  runTogether?: (contexts: EventContext[]) => Promise<void>;
}

/** What a service hears. */
export interface Hearing {
  /** Whom it listens to: each is believed what it tells, and nothing else. */
  tellers: Tellers;
  /** What is reacted to; other events are not delivered. */
  subscriptions: Subscription[];
}

/** Subscribes a handler to a type of event. */
export const on = <D extends DescMessage>(
  schema: D,
  handler: (ctx: EventContext, event: MessageShape<D>) => Promise<void>,
): Subscription => ({
  type: schema.name,
  run: (ctx) => handler(ctx, fromBinary(schema, ctx.event.payload)),
});

/** Subscribes one handler to several types of event: it gets all that arrived together, in order, and writes them at once. */
export const onTogether = (types: readonly string[], runTogether: (contexts: EventContext[]) => Promise<void>): Subscription[] =>
  types.map((type) => ({ type, run: (ctx) => runTogether([ctx]), runTogether }));

/** One of several events that arrived together, with its message. */
export interface Heard<D extends DescMessage> {
  ctx: EventContext;
  message: MessageShape<D>;
}

/** Those of a type among events that arrived together, in order. */
export const heardOf = <D extends DescMessage>(contexts: EventContext[], schema: D): Heard<D>[] =>
  contexts.filter(({ event }) => event.type === schema.name).map((ctx) => ({ ctx, message: fromBinary(schema, ctx.event.payload) }));

/** Finds who reacts to a type of event, if anybody does. */
export const createDispatch = (subscriptions: readonly Subscription[]): ((type: string) => Subscription | undefined) => {
  const byType = new Map(subscriptions.map((subscription) => [subscription.type, subscription]));
  return (type) => byType.get(type) ?? byType.get(everyType);
};
