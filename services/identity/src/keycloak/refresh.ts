import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Call, Ctx } from '@accessops/service';
import { chooseMemberships } from '../local/choose-memberships.ts';
import { hashOf } from '../local/refresh-token.ts';
import { membershipsOf } from '../memberships.ts';
import type { Tokens } from '../provider.ts';
import type { RealmRole } from '../realm-role.ts';
import { type Audience, endSessions } from '../session.ts';
import { clientOf } from './clients.ts';
import { GrantRefused, type KeycloakTokens } from './grants.ts';
import type { KeycloakParts } from './keycloak-provider.ts';

// Of parallel uses one finds the token unused: the others wait for its row and then see that it was used.
const takeSql = `
  with taken as (
    update refresh_token set used_at = ? where hash = ? and used_at is null and expires_at > ? returning session_id
  )
  select s.id as "sessionId", s.tenant_id as "tenantId", s.audience, a.id as "accountId", a.active, a.realm_roles as "realmRoles"
    from session s join taken on taken.session_id = s.id join account a on a.id = s.account_id
   where s.ended_at is null and s.expires_at > ?`;

interface Taken {
  sessionId: string;
  tenantId: string;
  audience: Audience;
  accountId: string;
  active: boolean;
  realmRoles: RealmRole[];
}

const system = { id: 'identity', type: 'system', email: '' };

const take = async (ctx: Ctx, hash: Buffer): Promise<Taken | undefined> => {
  const now = ctx.now();
  const [row] = await ctx.em.execute<Taken[]>(takeSql, [now, hash, now, now]);
  if (!row) {
    const where = 's.id = (select session_id from refresh_token where hash = ? and used_at is not null)';
    await endSessions(ctx, { where, values: [hash], reason: 'REUSE', actor: system });
    return undefined;
  }
  // What throws from here on leaves the token unused.
  const { accountId, tenantId, active, realmRoles, audience } = row;
  const memberships = (await membershipsOf(ctx.em, accountId)).filter((place) => tenantId === noTenant || place.tenantId === tenantId);
  const belongs = memberships.some((place) => place.active) || (tenantId === noTenant && audience === 'admin');
  const isNowhere = tenantId === noTenant && memberships.length === 0;
  if (!active || !(belongs || isNowhere)) throw new AppError('INVALID_REFRESH_TOKEN');
  chooseMemberships({ memberships, realmRoles, audience, tenant: '' });
  return row;
};

/**
 * Exchanges a refresh token of Keycloak's. That a token is used once, and that using it again ends the session, is decided here: Keycloak
 * tells nobody of a second use. Errors: as of the local provider, and DEPENDENCY_UNAVAILABLE, which leaves the token unused.
 */
export const refresh = async (call: Call, { grants, reconciler }: KeycloakParts, refreshToken: string): Promise<Tokens> => {
  const hash = hashOf(refreshToken);
  const taken = await call.write((ctx) => take(ctx, hash), 'all-tenants');
  if (!taken) throw new AppError('INVALID_REFRESH_TOKEN');
  let tokens: KeycloakTokens;
  try {
    await reconciler.settle(taken.accountId);
    tokens = await grants.byRefreshToken(clientOf(taken.audience), refreshToken);
  } catch (error) {
    const refused = error instanceof GrantRefused;
    await call.write(async (ctx) => {
      if (refused) {
        // Keycloak has ended the session or disabled the person.
        await endSessions(ctx, { where: 's.id = ?', values: [taken.sessionId], reason: 'PROVIDER', actor: system });
      } else await ctx.em.execute('update refresh_token set used_at = null where hash = ?', [hash]);
    }, 'all-tenants');
    throw refused ? new AppError('INVALID_REFRESH_TOKEN', undefined, { cause: error }) : error;
  }
  const refreshExpiresIn = await call.write(async (ctx) => {
    const [added] = await ctx.em.execute<{ expires_at: string }[]>(
      `insert into refresh_token (hash, tenant_id, session_id, expires_at)
         select ?, tenant_id, id, expires_at from session where id = ? and ended_at is null returning expires_at`,
      [hashOf(tokens.refreshToken), taken.sessionId],
    );
    return added && Math.ceil((new Date(added.expires_at).getTime() - ctx.now().getTime()) / 1000);
  }, 'all-tenants');
  if (refreshExpiresIn === undefined) throw new AppError('INVALID_REFRESH_TOKEN');
  return { ...tokens, refreshExpiresIn };
};
