import type { EntityManager } from '@mikro-orm/postgresql';

/** Records events as handled; answers the ids that had not been before. A duplicate waits here for the transaction that has it. */
export const takeFresh = async (em: EntityManager, ids: string[], now: Date): Promise<Set<string>> => {
  const values = ids.map(() => '(?, ?)').join(', ');
  const rows = await em.execute<{ event_id: string }[]>(
    `insert into inbox_event (event_id, processed_at) values ${values} on conflict do nothing returning event_id`,
    ids.flatMap((id) => [id, now]),
  );
  return new Set(rows.map(({ event_id }) => event_id));
};
