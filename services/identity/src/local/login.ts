import { newId, noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { SessionStartedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Call, Ctx } from '@accessops/service';
import type { Pool } from 'pg';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { normalizeEmail } from '../email.ts';
import type { FailedLogins } from '../failed-logins.ts';
import { membershipsOf } from '../memberships.ts';
import type { Credentials } from '../provider.ts';
import type { Audience } from '../session.ts';
import type { Settings } from '../settings/settings.ts';
import { sessionHoursIn } from '../tenant-rules.ts';
import { chooseMemberships, parseAudience } from './choose-memberships.ts';
import { grantOf, type Issued } from './grant.ts';
import { isPassword } from './password-hash.ts';
import { hashOf, newRefreshToken } from './refresh-token.ts';
import { type SecondFactorCode, useSecondFactor } from './second-factor/use-second-factor.ts';

interface StoredPassword {
  id: string;
  password_hash: string;
}

const find = async (pool: Pool, email: string | undefined): Promise<StoredPassword | undefined> => {
  // Asked also for what is no address, so that both answers take the same way.
  const { rows } = await pool.query<StoredPassword>({
    name: 'password-of',
    text: 'select id, password_hash from account where email = $1',
    values: [email ?? ''],
  });
  return rows[0];
};

/** What a session is started with, once the password was right. */
interface Start {
  accountId: string;
  audience: Audience;
  tenant: string;
  code: SecondFactorCode;
}

/** What logging in works with. */
export interface LoginParts {
  pool: Pool;
  sealKey: Buffer;
  settings: Settings;
  failedLogins: FailedLogins;
}

/** Undefined when the second factor was wrong, which has to be committed. */
const start = async (
  ctx: Ctx,
  { sealKey, settings }: LoginParts,
  { accountId, audience, tenant, code }: Start,
): Promise<Issued | undefined> => {
  const account = await ctx.em.findOne(Account, { id: accountId, active: true });
  if (!account) throw new AppError('INVALID_CREDENTIALS');
  const { realmRoles } = account;
  const chosen = chooseMemberships({ memberships: await membershipsOf(ctx.em, accountId), realmRoles, audience, tenant });

  // A session of several tenants belongs to none of them: it goes on when the person leaves one.
  const tenantId = (chosen.length === 1 && chosen[0]?.tenantId) || noTenant;
  const own = actingAs({ ...ctx, tenantId }, account);
  const use = await useSecondFactor(own, sealKey, account, code);
  if (use === 'wrong') return undefined;

  const [sessionId, refreshToken] = [newId(), newRefreshToken()];
  const now = ctx.now();
  const tenantIds = chosen.map((place) => place.tenantId);
  const hours = await sessionHoursIn(ctx.em, settings, tenantIds);
  const expiresAt = new Date(now.getTime() + hours * 3_600_000);
  await ctx.em.execute(
    `with started as (
       insert into session (id, tenant_id, account_id, audience, created_at, expires_at, second_factor_at) values (?, ?, ?, ?, ?, ?, ?) returning *
     )
     insert into refresh_token (hash, tenant_id, session_id, expires_at) select ?, tenant_id, id, expires_at from started`,
    [sessionId, tenantId, accountId, audience, now, expiresAt, use ? now : null, hashOf(refreshToken)],
  );
  emit(own, SessionStartedSchema, { sessionId, userId: accountId }, sessionId, {
    action: 'SESSION_STARTED',
    entityType: 'SESSION',
    entityId: sessionId,
    changes: { userId: { after: accountId }, audience: { after: audience }, ...(use && { secondFactor: { after: use } }) },
  });
  const session = { id: sessionId, audience, secondFactor: use !== undefined };
  return { grant: grantOf(session, account, chosen), refreshToken, expiresAt };
};

/**
 * Starts a session. The password is checked outside the transaction, and against a hash of nobody's for an unknown address: neither
 * answer nor time tells whether the address exists. Whether there is a second factor is told after the right password only.
 */
export const login = async (call: Call, parts: LoginParts, credentials: Credentials): Promise<Issued> => {
  const { email, password, tenant, totp, recoveryCode } = credentials;
  const audience = parseAudience(credentials.audience);
  const stored = await find(parts.pool, normalizeEmail(email));
  try {
    if (!(await isPassword(password, stored?.password_hash)) || !stored) throw new AppError('INVALID_CREDENTIALS');
    const code = { totp, recoveryCode };
    const issued = await call.write((ctx) => start(ctx, parts, { accountId: stored.id, audience, tenant, code }), 'all-tenants');
    if (!issued) throw new AppError('INVALID_MFA_CODE');
    return issued;
  } catch (error) {
    if (error instanceof AppError && error.code === 'INVALID_CREDENTIALS') parts.failedLogins.note(stored?.id ?? null, call.origin);
    throw error;
  }
};
