import { transaction } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Wrapped } from './key-wrapper.ts';
import type { Vault } from './vault.ts';

const batchSize = 100;

/** What lies sealed, the column that names its row, and the place it is sealed for, in SQL. */
const sealed = [
  { table: 'credential', id: 'grant_id', place: 'grant_id' },
  { table: 'saved_plan', id: 'job_id', place: 'job_id' },
  { table: 'job_answer', id: 'job_id', place: `(select spec ->> 'key' from job where job.id = job_answer.job_id)` },
] as const;

type SealedTable = (typeof sealed)[number];

const select = ({ table, id, place }: SealedTable, keys: readonly string[]) => `
  select ${id} as id, ${place} as place, key_id as "keyId", data_key as "dataKey" from ${table}
  where key_id in (${keys.map(() => '?').join(', ')}) order by ${id} limit ${batchSize}`;

const update = ({ table, id }: SealedTable) => `
  update ${table} set key_id = wrapped.key_id, data_key = decode(wrapped.data_key, 'base64')
  from jsonb_to_recordset(?) as wrapped (id uuid, key_id text, data_key text, before text)
  where ${table}.${id} = wrapped.id and ${table}.data_key = decode(wrapped.before, 'base64')`;

/** The keys are asked between two transactions; what has changed meanwhile stays as it is then. */
const rewrapBatch = async (em: EntityManager, vault: Vault, table: SealedTable): Promise<number> => {
  const found = await transaction(em, 'all-tenants', (own) =>
    own.execute<(Wrapped & { id: string; place: string })[]>(select(table, vault.formerKeyIds), [...vault.formerKeyIds]),
  );
  if (found.length === 0) return 0;
  const rows = await Promise.all(
    found.map(async ({ id, place, ...wrapped }) => {
      const { keyId, dataKey } = await vault.rewrap(wrapped, place);
      return { id, key_id: keyId, data_key: dataKey.toString('base64'), before: wrapped.dataKey.toString('base64') };
    }),
  );
  await transaction(em, 'all-tenants', (own) => own.execute(update(table), [JSON.stringify(rows)]));
  return rows.length;
};

/**
 * Brings a batch of credentials that nobody has read yet, of plans that are still to be applied and of answers that no job has taken, from former keys to the current one;
 * what they hold is not opened for it. Answers whether there may be more. Throws when one was changed behind our back: then its key
 * must not be thrown away.
 */
export const rewrapCredentials = async ({ orm, log }: Pick<ServiceParts, 'orm' | 'log'>, vault: Vault): Promise<boolean> => {
  if (vault.formerKeyIds.length === 0) return false;
  const counts: number[] = [];
  for (const table of sealed) counts.push(await rewrapBatch(orm.em, vault, table));
  const count = counts.reduce((sum, each) => sum + each);
  if (count > 0) log.info({ count }, 'credentials moved to the current key');
  return counts.includes(batchSize);
};
