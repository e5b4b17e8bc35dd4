import type { Ctx } from '@accessops/service';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';

/** Gives an account new recovery codes, instead of all it had; answers them, which are not to be had again. */
export const storeRecoveryCodes = async ({ em }: Ctx, key: Buffer, accountId: string): Promise<string[]> => {
  const codes = newRecoveryCodes();
  await em.execute('delete from recovery_code where account_id = ?', [accountId]);
  await em.execute(
    `insert into recovery_code (account_id, hash) select ?, decode(hash, 'base64') from json_array_elements_text(?) as hash`,
    [accountId, JSON.stringify(codes.map((code) => recoveryCodeHash(key, accountId, code).toString('base64')))],
  );
  return codes;
};
