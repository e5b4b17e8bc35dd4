import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import type { RemoveTotpResponseSchema, RemoveUserMfaResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx } from '@accessops/service';
import { findUser } from '../../find-user.ts';
import { demandFreshSecondFactor } from './fresh-second-factor.ts';
import { tellMfaChanged } from './tell-mfa-changed.ts';

/** Takes an account's second factor and what its sessions have proved with it; answers whether there was one. */
export const forgetSecondFactor = async (ctx: WriteContext, accountId: string): Promise<boolean> => {
  const removed = await ctx.em.execute('delete from totp where account_id = ? and confirmed_at is not null returning 1', [accountId]);
  if (removed.length === 0) return false;
  await ctx.em.execute('update session set second_factor_at = null where account_id = ? and second_factor_at is not null', [accountId]);
  tellMfaChanged(ctx, accountId, 'MFA_REMOVED', { mfa: { before: 'totp', after: 'none' } });
  return true;
};

const remove = async (ctx: Ctx, accountId: string): Promise<void> => {
  if (!(await forgetSecondFactor(ctx, accountId))) throw new AppError('MFA_NOT_ENROLLED');
};

/** Gives up the caller's own second factor, in all their sessions. Errors: MFA_NOT_ENROLLED, INSUFFICIENT_AUTHENTICATION. */
export const removeOwnSecondFactor = async (call: Call): Promise<void> => {
  await call.writeOnce<typeof RemoveTotpResponseSchema>(async (ctx) => {
    await demandFreshSecondFactor(ctx);
    await remove(ctx, ctx.principal.id);
    return {};
  }, 'all-tenants');
};

/**
 * Takes the second factor of a user who has lost it. It protects the account everywhere: nobody takes it who is not alone with the person.
 * Errors: USER_NOT_FOUND, MFA_NOT_ENROLLED, BELONGS_ELSEWHERE.
 */
export const removeSecondFactorOf = async (call: Call, userId: string): Promise<void> => {
  const { id } = await call.read(({ em }) => findUser(em, userId));
  await call.writeOnce<typeof RemoveUserMfaResponseSchema>(async (ctx) => {
    const elsewhere = await ctx.em.execute(
      `select 1 from app_user where id = ? and tenant_id <> ? and active
       union all select 1 from account where id = ? and cardinality(realm_roles) > 0`,
      [id, ctx.tenantId, id],
    );
    if (elsewhere.length > 0) throw new AppError('BELONGS_ELSEWHERE');
    await remove(ctx, id);
    return {};
  }, 'all-tenants');
};
