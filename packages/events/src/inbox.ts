import { executePrepared } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';

/** Records events as handled; answers the ids that had not been before. A duplicate waits here for the transaction that has it. */
export const takeFresh = async (em: EntityManager, ids: string[], now: Date): Promise<Set<string>> => {
  const rows = await executePrepared<{ event_id: string }>(
    em,
    `insert into inbox_event (event_id, processed_at) select value::uuid, $1 from json_array_elements_text($2)
     on conflict do nothing returning event_id`,
    [now, JSON.stringify(ids)],
  );
  return new Set(rows.map(({ event_id }) => event_id));
};
