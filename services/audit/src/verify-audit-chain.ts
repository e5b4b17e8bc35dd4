import type { Call } from '@accessops/service';
import { fits, genesis, type Head, type Link } from './chain.ts';

export interface Verification {
  /** How many events fitted. */
  events: number;
  /** Hash of the newest event, in hex; empty when there is none. */
  head: string;
  /** Sequence of the first event that does not fit; 0 when all do. */
  brokenAt: number;
}

const pageSize = 1000;

interface Row extends Omit<Link, 'sequence'> {
  sequence: string;
}

// One statement sees one state: the head, and how far the rows reach.
const findHead = `select coalesce(max(head.sequence), 0) as sequence, max(encode(head.hash, 'hex')) as hash,
    (select coalesce(max(sequence), 0) from audit_event where tenant_id = ?) as reach
  from chain_head as head where tenant_id = ?`;

// By ranges of numbers, not by counting rows: a gap or a second row of one number shows itself.
const findLinks = `select tenant_id as "tenantId", id, sequence,
    to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "occurredAt",
    actor_id as "actorId", actor_type as "actorType", actor_email as "actorEmail", action, entity_type as "entityType",
    entity_id as "entityId", changes, ip, user_agent as "userAgent", request_id as "requestId",
    prev_hash as "prevHash", hash, leaf_hash as "leafHash"
  from audit_event where tenant_id = ? and sequence > ? and sequence <= ? order by sequence, occurred_at limit ?`;

/**
 * Recomputes the caller's tenant's chain from the first row on: content, order and hashes of every event, that none is
 * missing or there twice, and that the head is the last one, which a cut tail is not.
 */
export const verifyAuditChain = async ({ tenantId, signal, read }: Call): Promise<Verification> => {
  const state = await read(async ({ em }) => {
    const [row] = await em.execute<{ sequence: string; hash: string | null; reach: string }[]>(findHead, [tenantId, tenantId]);
    return { sequence: Number(row?.sequence ?? 0), hash: row?.hash ?? '', reach: Number(row?.reach ?? 0) };
  });
  const head = state.sequence > 0 ? state.hash : '';
  const brokenAt = (sequence: number): Verification => ({ events: sequence - 1, head, brokenAt: sequence });
  let newest: Head = genesis;
  while (newest.sequence < state.sequence) {
    signal.throwIfAborted();
    const from = newest.sequence;
    const to = Math.min(from + pageSize, state.sequence);
    const rows = await read(({ em }) => em.execute<Row[]>(findLinks, [tenantId, from, to, pageSize + 1]));
    for (const row of rows) {
      const link = { ...row, sequence: Number(row.sequence) };
      if (!fits(newest, link)) return brokenAt(newest.sequence + 1);
      newest = link;
    }
    if (newest.sequence < to) return brokenAt(newest.sequence + 1);
  }
  if (state.reach > state.sequence) return brokenAt(state.sequence + 1);
  if (newest.sequence > 0 && newest.hash.toString('hex') !== state.hash) return brokenAt(newest.sequence);
  return { events: newest.sequence, head, brokenAt: 0 };
};
