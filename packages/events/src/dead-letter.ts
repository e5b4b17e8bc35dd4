import { newId } from '@accessops/db';
import { defineEntity, type EntityManager, p } from '@mikro-orm/postgresql';
import type { Event } from './event.ts';

const DeadLetterSchema = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letter',
  properties: {
    id: p.uuid().primary(),
    eventId: p.uuid(),
    tenantId: p.uuid(),
    eventType: p.string(),
    subject: p.string(),
    headers: p.json<Record<string, string>>(),
    payload: p.blob(),
    error: p.text(),
    attempts: p.integer(),
    status: p.string(),
    parkedAt: p.datetime(),
    replayedAt: p.datetime().nullable(),
  },
});

/** An event that could not be handled: kept with its error until somebody replays it. */
export class DeadLetter extends DeadLetterSchema.class {}
DeadLetterSchema.setClass(DeadLetter);

/** Parks an event after its last attempt; parking it twice leaves the first entry. */
export const park = (
  em: EntityManager,
  {
    event,
    subject,
    headers,
    error,
    attempts,
    now,
  }: { event: Event; subject: string; headers: Record<string, string>; error: string; attempts: number; now: Date },
): Promise<unknown> =>
  em.execute(
    `insert into dead_letter (id, event_id, tenant_id, event_type, subject, headers, payload, error, attempts, status, parked_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'PARKED', ?) on conflict (event_id) do nothing`,
    [newId(), event.id, event.tenantId, event.type, subject, JSON.stringify(headers), Buffer.from(event.payload), error, attempts, now],
  );

/** An error as a dead letter keeps it. */
export const textOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error').slice(0, 2000);
