import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Call, Ctx } from '@accessops/service';
import { Account } from '../account.ts';
import { type Audience, endSessions } from '../session.ts';
import { chooseMembership } from './choose-membership.ts';
import { grantOf } from './grant.ts';
import type { Issued } from './login.ts';
import { membershipsOf } from './memberships.ts';
import { hashOf, isRefreshToken, newRefreshToken } from './refresh-token.ts';

interface Living {
  id: string;
  tenant_id: string;
  account_id: string;
  audience: Audience;
  expires_at: string;
}

// Of parallel uses one finds the token unused: the others wait for its row and then see that it was used.
const takeSql = `
  with taken as (
    update refresh_token set used_at = ? where hash = ? and used_at is null and expires_at > ? returning session_id
  )
  select s.* from session s join taken on taken.session_id = s.id where s.ended_at is null and s.expires_at > ?`;

const rotate = async (ctx: Ctx, hash: Buffer): Promise<Issued | undefined> => {
  const { em } = ctx;
  const now = ctx.now();
  const [session] = await em.execute<Living[]>(takeSql, [now, hash, now, now]);
  if (!session) return undefined;
  const account = await em.findOne(Account, { id: session.account_id, active: true });
  const memberships = await membershipsOf(em, session.account_id);
  const own = memberships.filter(({ tenantId, active }) => active && tenantId === session.tenant_id);
  if (!account || (own.length === 0 && session.tenant_id !== noTenant)) throw new AppError('INVALID_REFRESH_TOKEN');
  const { audience } = session;
  const membership = chooseMembership({ memberships: own, realmRoles: account.realmRoles, audience, tenant: '' });

  const refreshToken = newRefreshToken();
  await em.execute('insert into refresh_token (hash, tenant_id, session_id, expires_at) values (?, ?, ?, ?)', [
    hashOf(refreshToken),
    session.tenant_id,
    session.id,
    session.expires_at,
  ]);
  return {
    grant: grantOf({ sessionId: session.id, account, audience, membership }),
    refreshToken,
    expiresAt: new Date(session.expires_at),
  };
};

/**
 * Exchanges a refresh token for the next one of its session; the session ends when it would have ended before. Whoever uses a token that
 * was used already, be it the loser of a race, ends the session: nobody can tell which of the two is the thief (RFC 9700, 4.14.2).
 * Errors: INVALID_REFRESH_TOKEN; AUDIENCE_NOT_ALLOWED and TENANT_SUSPENDED, which leave the token unused.
 */
export const refresh = async (call: Call, refreshToken: string): Promise<Issued> => {
  if (!isRefreshToken(refreshToken)) throw new AppError('INVALID_REFRESH_TOKEN');
  const hash = hashOf(refreshToken);
  const issued = await call.write(async (ctx) => {
    const rotated = await rotate(ctx, hash);
    if (!rotated) {
      const where = 's.id = (select session_id from refresh_token where hash = ? and used_at is not null)';
      await endSessions(ctx, { where, values: [hash], reason: 'REUSE', actor: { id: 'identity', type: 'system', email: '' } });
    }
    return rotated;
  }, 'all-tenants');
  if (!issued) throw new AppError('INVALID_REFRESH_TOKEN');
  return issued;
};
