import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { seal } from '../seal.ts';
import { tellMfaChanged } from './tell-mfa-changed.ts';
import { newTotpSecret, totpEnrolment } from './totp.ts';
import { sealContext } from './use-second-factor.ts';

/** Makes a secret for the caller, instead of one that was never confirmed. Errors: MFA_ALREADY_ENROLLED. */
export const beginTotp = async (ctx: Ctx, key: Buffer): Promise<{ secret: string; uri: string }> => {
  const { id, email } = ctx.principal;
  const secret = newTotpSecret();
  const begun = await ctx.em.execute(
    `insert into totp (account_id, secret, created_at, attempts_since) values (?, ?, ?, ?)
     on conflict (account_id) do update set secret = excluded.secret, created_at = excluded.created_at where totp.confirmed_at is null
     returning 1`,
    [id, seal(key, secret, sealContext(id)), ctx.now(), ctx.now()],
  );
  if (begun.length === 0) throw new AppError('MFA_ALREADY_ENROLLED');
  tellMfaChanged(ctx, id, 'MFA_ENROLMENT_STARTED');
  return totpEnrolment(secret, email);
};
