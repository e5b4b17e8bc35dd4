import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { SessionSteppedUpSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Call, Ctx } from '@accessops/service';
import { continuedGrant, type Issued, type SessionRow, sessionRowsOf } from './grant.ts';
import { hashOf, newRefreshToken } from './refresh-token.ts';
import { type SecondFactorCode, type SecondFactorUse, useSecondFactor } from './second-factor/use-second-factor.ts';

// The refresh tokens handed out before are used up: one that turns up later is one too many, as after a refresh.
const stepUpSql = `
  with stepped as (
    update session set second_factor_at = ? where id = ? and account_id = ? and ended_at is null and expires_at > ? returning *
  ), used as (
    update refresh_token r set used_at = ? from stepped where r.session_id = stepped.id and r.used_at is null
  ), successor as (
    insert into refresh_token (hash, tenant_id, session_id, expires_at) select ?, tenant_id, id, expires_at from stepped
  )${sessionRowsOf('stepped')}`;

const raise = async (ctx: Ctx, use: SecondFactorUse): Promise<Issued> => {
  const { id: userId, sessionId } = ctx.principal;
  const now = ctx.now();
  const refreshToken = newRefreshToken();
  const [row] = await ctx.em.execute<SessionRow[]>(stepUpSql, [now, sessionId, userId, now, now, hashOf(refreshToken)]);
  if (!row) throw new AppError('SESSION_ENDED');
  const grant = await continuedGrant(ctx, row);
  emit({ ...ctx, tenantId: row.tenantId }, SessionSteppedUpSchema, { sessionId: row.sessionId, userId }, row.sessionId, {
    action: 'SESSION_STEPPED_UP',
    entityType: 'SESSION',
    entityId: row.sessionId,
    changes: { userId: { after: userId }, secondFactor: { after: use } },
  });
  return { grant, refreshToken, expiresAt: new Date(row.expiresAt) };
};

/**
 * Proves a second factor within the caller's session, and hands out tokens that tell so (RFC 9470).
 * Errors: MFA_NOT_ENROLLED, MFA_REQUIRED, INVALID_MFA_CODE, TOO_MANY_ATTEMPTS, SESSION_ENDED.
 */
export const stepUp = async (call: Call, sealKey: Buffer, code: SecondFactorCode): Promise<Issued> => {
  const issued = await call.write(async (ctx) => {
    const use = await useSecondFactor(ctx, sealKey, ctx.principal, code);
    if (!use) throw new AppError('MFA_NOT_ENROLLED');
    return use === 'wrong' ? undefined : raise(ctx, use);
  }, 'all-tenants');
  if (!issued) throw new AppError('INVALID_MFA_CODE');
  return issued;
};
