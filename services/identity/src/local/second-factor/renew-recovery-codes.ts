import { AppError } from '@accessops/errors';
import type { Call } from '@accessops/service';
import { demandFreshSecondFactor } from './fresh-second-factor.ts';
import { storeRecoveryCodes } from './store-recovery-codes.ts';
import { tellMfaChanged } from './tell-mfa-changed.ts';

/** New recovery codes for the caller; the old ones are worth nothing any more. Errors: MFA_NOT_ENROLLED, INSUFFICIENT_AUTHENTICATION. */
export const renewRecoveryCodes = (call: Call, key: Buffer): Promise<string[]> =>
  call.write(async (ctx) => {
    const { id } = ctx.principal;
    const enrolled = await ctx.em.execute('select 1 from totp where account_id = ? and confirmed_at is not null for update', [id]);
    if (enrolled.length === 0) throw new AppError('MFA_NOT_ENROLLED');
    await demandFreshSecondFactor(ctx);
    tellMfaChanged(ctx, id, 'MFA_RECOVERY_CODES_RENEWED');
    return storeRecoveryCodes(ctx, key, id);
  }, 'all-tenants');
