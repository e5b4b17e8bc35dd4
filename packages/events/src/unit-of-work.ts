import { executePrepared, newId, type Scope, transaction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { ChangeSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { type ActorInit, type Event, outgoing, type Teller } from './event.ts';

/** What a use case needs to change state and tell of it. */
export interface WriteContext {
  em: EntityManager;
  tenantId: string;
  /** Who does it. */
  actor: { id: string; type: string; email: string };
  /** The call that set things going. */
  origin: Event['origin'];
  now(): Date;
}

/** The audit side of an event; `changes` maps a field to what it was and what it is. Never a secret. */
export interface AuditedChange {
  action: string;
  entityType: string;
  entityId: string;
  changes?: Record<string, { before?: unknown; after?: unknown }>;
  /** When it was somebody else than the one who acts. */
  actor?: ActorInit;
}

/** An event with the change it tells of; for a statement that puts it into the outbox itself. Everything else uses `emit`. */
export const eventFrom = <D extends DescMessage>(
  ctx: Omit<WriteContext, 'em'>,
  schema: D,
  message: Omit<MessageInitShape<D>, 'change' | '$typeName'>,
  aggregateId: string,
  change: AuditedChange | null,
): Event => {
  const audited = change && {
    change: create(ChangeSchema, {
      action: change.action,
      entityType: change.entityType,
      entityId: change.entityId,
      actor: change.actor ?? ctx.actor,
      origin: ctx.origin,
      changesJson: JSON.stringify(change.changes ?? {}),
    }),
  };
  const payload = toBinary(schema, create(schema, { ...message, ...audited } as MessageInitShape<D>));
  // A message that the stream does not take would hold up everything behind it.
  if (payload.length > maxPayloadBytes) throw new AppError('BODY_TOO_LARGE', 'The change is too large to be told of.');
  return {
    id: newId(),
    type: schema.name,
    tenantId: ctx.tenantId,
    aggregateId,
    occurredAt: ctx.now(),
    origin: ctx.origin,
    payload,
  };
};

// NATS takes messages up to 1 MiB unless told otherwise; some of it is for the headers.
const maxPayloadBytes = 1_000_000;

const pending = new WeakMap<EntityManager, Event[]>();

/**
 * Puts an event into the outbox of this transaction. `change` is what the audit log records; null for an event that
 * changes no state by itself. `aggregateId` is what order is kept for.
 */
export const emit = <D extends DescMessage>(
  ctx: WriteContext,
  schema: D,
  message: Omit<MessageInitShape<D>, 'change' | '$typeName'>,
  aggregateId: string,
  change: AuditedChange | null,
): void => {
  const events = pending.get(ctx.em);
  if (!events) throw new Error(`${schema.name} was emitted outside a unit of work`);
  events.push(eventFrom(ctx, schema, message, aggregateId, change));
};

// The rows travel as one JSON text, so that the statement is the same for any number.
const insertEvents = `insert into outbox_event (event_id, tenant_id, type, aggregate_id, payload, headers, created_at)
  select id, tenant, type, aggregate, decode(payload, 'base64'), headers, at
  from json_to_recordset($1) as e (id uuid, tenant uuid, type text, aggregate text, payload text, headers jsonb, at timestamptz)`;

const store = (em: EntityManager, teller: Teller, events: Event[]) =>
  executePrepared(em, insertEvents, [
    JSON.stringify(
      events.map((event) => ({
        ...outgoing(teller, event),
        tenant: event.tenantId,
        aggregate: event.aggregateId,
        at: event.occurredAt,
      })),
    ),
  ]);

/** Where a service's changes go: its database, and the relay that is woken when an outbox has filled. */
export interface Outbox extends Teller {
  orm: MikroORM;
  /** Called after a commit that left events. */
  wake(): void;
}

/** One transaction that also carries the events emitted in it; the relay is woken after the commit. */
export const unitOfWork = async <T>(outbox: Outbox, scope: Scope, work: (em: EntityManager) => Promise<T>): Promise<T> => {
  let emitted = false;
  const result = await transaction(outbox.orm.em, scope, async (em) => {
    const events: Event[] = [];
    pending.set(em, events);
    const value = await work(em);
    await em.flush();
    emitted = events.length > 0;
    if (emitted) await store(em, outbox, events);
    return value;
  });
  if (emitted) outbox.wake();
  return result;
};
