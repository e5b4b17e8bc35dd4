import type { ServiceParts } from '@accessops/service';
import type { Pool } from 'pg';

const daily = 24 * 3_600_000;

// The month before as well: events of yesterday may come in after the first start.
const make = `select ensure_audit_partition(($1::date + make_interval(months => ahead))::date) from generate_series(-1, 2) as ahead`;

/**
 * Makes the partitions of the months around now, once a month. Appending waits for it: a row that came before its
 * partition would have to stay in the default one. It has a connection of its own, so that no transaction holds its locks.
 */
export const createPartitionMaker = (pool: Pick<Pool, 'query'>, now: () => Date): (() => Promise<void>) => {
  let made = '';
  return async () => {
    const month = `${now().toISOString().slice(0, 7)}-01`;
    if (made === month) return;
    await pool.query(make, [month]);
    made = month;
  };
};

/** Makes partitions ahead also while nothing is appended: now, and once a day. */
export const keepPartitionsAhead = ({ pool, now, log }: ServiceParts): { close(): Promise<void> } => {
  const makePartitions = createPartitionMaker(pool, now);
  const run = () =>
    makePartitions().catch((error: unknown) => log.warn({ err: error }, 'partitions could not be made; appending tries again'));
  let running = run();
  const timer = setInterval(() => {
    running = run();
  }, daily);
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
};
