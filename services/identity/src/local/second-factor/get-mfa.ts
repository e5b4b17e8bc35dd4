import type { MfaSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

/** The caller's second factor. */
export const getMfa = async ({ em, principal }: Ctx): Promise<MessageInitShape<typeof MfaSchema>> => {
  const [row] = await em.execute<{ confirmed_at: string; left: number }[]>(
    `select confirmed_at, (select count(*)::int from recovery_code c where c.account_id = t.account_id and c.used_at is null) as left
       from totp t where account_id = ? and confirmed_at is not null`,
    [principal.id],
  );
  if (!row) return { enrolled: false };
  return { enrolled: true, confirmedAt: timestampFromDate(new Date(row.confirmed_at)), recoveryCodesLeft: row.left };
};
