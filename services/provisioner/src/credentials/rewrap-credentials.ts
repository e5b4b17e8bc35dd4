import { transaction } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import type { Sealed, Vault } from './vault.ts';

const batchSize = 100;

type Wrapped = Pick<Sealed, 'keyId' | 'dataKey'>;

const select = (keys: readonly string[]) => `
  select grant_id as "grantId", key_id as "keyId", data_key as "dataKey" from credential
  where key_id in (${keys.map(() => '?').join(', ')}) order by grant_id limit ${batchSize} for update skip locked`;

const update = `
  update credential set key_id = wrapped.key_id, data_key = decode(wrapped.data_key, 'base64')
  from jsonb_to_recordset(?) as wrapped (grant_id uuid, key_id text, data_key text) where credential.grant_id = wrapped.grant_id`;

/**
 * Brings a batch of credentials that nobody has read yet from former keys to the current one; what they hold is not opened for it.
 * Answers whether there may be more. Throws when one was changed behind our back: then its key must not be thrown away.
 */
export const rewrapCredentials = async ({ orm, log }: Pick<ServiceParts, 'orm' | 'log'>, vault: Vault): Promise<boolean> => {
  if (vault.formerKeyIds.length === 0) return false;
  const count = await transaction(orm.em, 'all-tenants', async (em) => {
    const found = await em.execute<(Wrapped & { grantId: string })[]>(select(vault.formerKeyIds), vault.formerKeyIds);
    if (found.length === 0) return 0;
    const rows = found.map(({ grantId, ...wrapped }) => {
      const { keyId, dataKey } = vault.rewrap(wrapped, grantId);
      return { grant_id: grantId, key_id: keyId, data_key: dataKey.toString('base64') };
    });
    await em.execute(update, [JSON.stringify(rows)]);
    return rows.length;
  });
  if (count > 0) log.info({ count }, 'credentials moved to the current key');
  return count === batchSize;
};
