import { AppError, invalidField } from '@accessops/errors';
import type { Call } from '@accessops/service';
import { storeRecoveryCodes } from './store-recovery-codes.ts';
import { tellMfaChanged } from './tell-mfa-changed.ts';
import { useSecondFactor } from './use-second-factor.ts';

/**
 * Confirms the caller's secret by a code of it; from then on it is asked for. Answers recovery codes.
 * Errors: MFA_NOT_BEGUN, INVALID_FIELDS, TOO_MANY_ATTEMPTS.
 */
export const confirmTotp = async (call: Call, key: Buffer, code: string): Promise<string[]> => {
  const codes = await call.write(async (ctx) => {
    const { id } = ctx.principal;
    const use = await useSecondFactor(ctx, key, ctx.principal, { totp: code, recoveryCode: '' }, { confirmed: false });
    if (!use) throw new AppError('MFA_NOT_BEGUN');
    if (use === 'wrong') return undefined;
    await ctx.em.execute('update totp set confirmed_at = ? where account_id = ?', [ctx.now(), id]);
    tellMfaChanged(ctx, id, 'MFA_ENROLLED', { mfa: { before: 'none', after: 'totp' } });
    return storeRecoveryCodes(ctx, key, id);
  });
  if (!codes) throw invalidField('/code', 'is wrong, was used before or has expired');
  return codes;
};
