import { AppError } from '@accessops/errors';
import type { Call, Ctx } from '@accessops/service';
import { endSessions } from '../session.ts';
import { continuedGrant, type Issued, type SessionRow, sessionRowsOf } from './grant.ts';
import { hashOf, isRefreshToken, newRefreshToken } from './refresh-token.ts';

// One round trip: marks the token as used, adds its successor while the session lives, and reads what the access token tells.
// Of parallel uses one finds the token unused: the others wait for its row and then see that it was used.
const rotateSql = `
  with taken as (
    update refresh_token set used_at = ? where hash = ? and used_at is null and expires_at > ? returning session_id
  ), living as (
    select s.* from session s join taken on taken.session_id = s.id where s.ended_at is null and s.expires_at > ?
  ), successor as (
    insert into refresh_token (hash, tenant_id, session_id, expires_at) select ?, tenant_id, id, expires_at from living
  )${sessionRowsOf('living')}`;

const rotate = async (ctx: Ctx, hash: Buffer): Promise<Issued | undefined> => {
  const now = ctx.now();
  const refreshToken = newRefreshToken();
  const [row] = await ctx.em.execute<SessionRow[]>(rotateSql, [now, hash, now, now, hashOf(refreshToken)]);
  if (!row) return undefined;
  // What throws from here on takes everything back.
  return { grant: await continuedGrant(ctx, row), refreshToken, expiresAt: new Date(row.expiresAt) };
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
