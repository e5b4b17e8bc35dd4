import type { ServiceParts } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';

const daily = 24 * 3_600_000;

const monthOf = (time: Date) => `${time.toISOString().slice(0, 7)}-01`;

// The month before as well: events of yesterday may come in after the first start.
const make = (placeholder: string) =>
  `select ensure_audit_partition((${placeholder}::date + make_interval(months => ahead))::date) as state from generate_series(-1, 2) as ahead`;

/**
 * Makes the partitions of the months around now, in the transaction that is about to append: a row that came before its
 * partition would have to stay in the default one. Asks no more in a month once they are there for good.
 */
export const createPartitionMaker = (now: () => Date): ((em: EntityManager) => Promise<void>) => {
  let settled = '';
  return async (em) => {
    const month = monthOf(now());
    if (settled === month) return;
    const rows = await em.execute<{ state: string }[]>(make('?'), [month]);
    // What was made just now is there for good only after the commit.
    if (!rows.some(({ state }) => state === 'made')) settled = month;
  };
};

/** Makes partitions ahead also while nothing is appended: now, and once a day. */
export const keepPartitionsAhead = ({ pool, now, log }: ServiceParts): { close(): Promise<void> } => {
  const run = () =>
    pool.query(make('$1'), [monthOf(now())]).then(
      () => undefined,
      (error: unknown) => log.warn({ err: error }, 'partitions could not be made; appending tries again'),
    );
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
