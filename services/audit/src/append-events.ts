import { executePrepared } from '@accessops/db';
import { type Event, everyType, onTogether, type Subscription } from '@accessops/events';
import type { ServiceParts } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';
import { recordOf } from './audit-record.ts';
import { genesis, type Head, type Link, linkAll } from './chain.ts';
import { appendMetrics } from './metrics.ts';
import { createPartitionMaker } from './partitions.ts';

/** The tenant's newest link, locked: whoever appends to the same chain waits until this transaction ends. */
const lock = 'select sequence, hash from chain_head where tenant_id = $1 for update';

const lockHead = async (em: EntityManager, tenantId: string, now: Date): Promise<Head> => {
  const find = async () => {
    const [row] = await executePrepared<{ sequence: string; hash: Buffer }>(em, lock, [tenantId]);
    return row && { sequence: Number(row.sequence), hash: row.hash };
  };
  const found = await find();
  if (found) return found;
  await em.execute('insert into chain_head (tenant_id, sequence, hash, updated_at) values (?, ?, ?, ?) on conflict do nothing', [
    tenantId,
    genesis.sequence,
    genesis.hash,
    now,
  ]);
  return (await find()) ?? genesis;
};

const bytea = (bytes: Buffer) => `\\x${bytes.toString('hex')}`;

const rowOf = (link: Link, recordedAt: Date) => ({
  tenant_id: link.tenantId,
  id: link.id,
  sequence: link.sequence,
  occurred_at: link.occurredAt,
  recorded_at: recordedAt,
  actor_id: link.actorId,
  actor_type: link.actorType,
  actor_email: link.actorEmail,
  action: link.action,
  entity_type: link.entityType,
  entity_id: link.entityId,
  changes: link.changes,
  ip: link.ip,
  user_agent: link.userAgent,
  request_id: link.requestId,
  prev_hash: bytea(link.prevHash),
  hash: bytea(link.hash),
  leaf_hash: bytea(link.leafHash),
});

const columns = {
  tenant_id: 'uuid',
  id: 'uuid',
  sequence: 'bigint',
  occurred_at: 'timestamptz',
  recorded_at: 'timestamptz',
  actor_id: 'text',
  actor_type: 'text',
  actor_email: 'text',
  action: 'text',
  entity_type: 'text',
  entity_id: 'text',
  changes: 'text',
  ip: 'text',
  user_agent: 'text',
  request_id: 'text',
  prev_hash: 'bytea',
  hash: 'bytea',
  leaf_hash: 'bytea',
} satisfies Record<keyof ReturnType<typeof rowOf>, string>;

const names = Object.keys(columns).join(', ');
const typed = Object.entries(columns)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

// All rows and the new head in one round trip; the rows travel as one JSON text, so the statement is the same for any number.
const append = `with appended as (
    insert into audit_event (${names}) select ${names} from json_to_recordset($1) as entry (${typed})
  )
  update chain_head set sequence = $2, hash = $3, updated_at = $4 where tenant_id = $5`;

/**
 * Appends what a tenant's events say to its chain, in the order they come in. Numbers have no gap, because they are
 * taken from the locked head and committed with the rows. Events that change no state are passed over.
 */
export const appendEvents = async (em: EntityManager, events: Event[], now: Date): Promise<void> => {
  const records = events.map(recordOf).filter((record) => record !== undefined);
  const [first] = records;
  if (!first) return;
  const links = linkAll(await lockHead(em, first.tenantId, now), records);
  const newest = links.at(-1) as Link;
  await executePrepared(em, append, [
    JSON.stringify(links.map((link) => rowOf(link, now))),
    newest.sequence,
    newest.hash,
    now,
    first.tenantId,
  ]);
};

/** What all services tell is recorded, whatever its type. */
export const createAppender = ({ now, registry }: ServiceParts): Subscription[] => {
  const makePartitions = createPartitionMaker(now);
  const watch = registry && appendMetrics(registry);
  return onTogether([everyType], async (contexts) => {
    const [first] = contexts;
    if (!first) return;
    await makePartitions(first.em);
    const ended = watch?.(contexts.length);
    try {
      await appendEvents(
        first.em,
        contexts.map(({ event }) => event),
        now(),
      );
      ended?.(true);
    } catch (error) {
      ended?.(false);
      throw error;
    }
  });
};
