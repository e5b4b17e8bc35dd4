import type { Client } from 'pg';

/** A row of the outbox on its way out. */
export interface OutboxRow {
  id: number;
  event_id: string;
  type: string;
  payload: Buffer;
  headers: Record<string, string>;
}

/** Reads an outbox from where it was read up to. */
export interface OutboxReader {
  /** The next rows in order; empty when there is none. They count as read when `didSend` is told of them. */
  next(limit: number): Promise<OutboxRow[]>;
  didSend(rows: readonly OutboxRow[]): void;
  /** Every row with a number up to this has been sent. */
  sentThrough(): number;
}

/** A number that was passed by: its transaction still runs, or was rolled back. */
interface Gap {
  noticedAt: number;
  /** When every transaction below this one has ended, nothing will come any more. */
  endsWith?: bigint;
}

const columns = 'id::float8, event_id, type, payload, headers';
const onward = `select ${columns} from outbox_event where id > $1 order by id limit $2`;
const withGaps = `(select ${columns} from outbox_event where id = any($3::bigint[]) order by id) union all (${onward})`;
const snapshot = 'select pg_snapshot_xmin(s)::text as oldest, pg_snapshot_xmax(s)::text as next from pg_current_snapshot() as s';
const gapCheckMs = 1000;

/**
 * Reads on from `sentThrough` without marking rows: a mark would write each row, and every index of it, a second time. Numbers are
 * given before the commit, so one that is missing among those seen may come later: it is asked for until its transaction
 * must have ended, which the oldest running transaction tells. The row itself appears after its number was given, so a gap
 * is looked at only a second later.
 */
export const createOutboxReader = (db: Client, sentThrough: number): OutboxReader => {
  let last = sentThrough;
  let checkedAt = performance.now();
  const gaps = new Map<number, Gap>();

  /** The gaps that nothing will fill any more, provided that they are empty when they are read after this. */
  const closedGaps = async (): Promise<number[]> => {
    const now = performance.now();
    if (gaps.size === 0 || now - checkedAt < gapCheckMs) return [];
    checkedAt = now;
    const { rows } = await db.query<{ oldest: string; next: string }>({ name: 'outbox-snapshot', text: snapshot });
    const [oldest, next] = [BigInt(rows[0]?.oldest ?? 0), BigInt(rows[0]?.next ?? 0)];
    const closed: number[] = [];
    for (const [id, gap] of gaps) {
      if (gap.endsWith !== undefined && oldest >= gap.endsWith) closed.push(id);
      else if (now - gap.noticedAt >= gapCheckMs) gap.endsWith ??= next;
    }
    return closed;
  };

  const read = async (limit: number): Promise<OutboxRow[]> => {
    const query =
      gaps.size === 0
        ? { name: 'outbox-onward', text: onward, values: [last, limit] }
        : { name: 'outbox-with-gaps', text: withGaps, values: [last, limit, [...gaps.keys()]] };
    return (await db.query<OutboxRow>(query)).rows;
  };

  return {
    next: async (limit) => {
      const closed = await closedGaps();
      const rows = await read(limit);
      const found = new Set(rows.map(({ id }) => id));
      for (const id of closed) if (!found.has(id)) gaps.delete(id);
      return rows;
    },
    didSend: (rows) => {
      const noticedAt = performance.now();
      for (const { id } of rows) {
        gaps.delete(id);
        for (let missing = last + 1; missing < id; missing++) gaps.set(missing, { noticedAt });
        last = Math.max(last, id);
      }
    },
    // Gaps are noticed in ascending order.
    sentThrough: () => (gaps.keys().next().value ?? last + 1) - 1,
  };
};
