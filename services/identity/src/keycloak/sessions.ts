import { sessionIdOf } from '@accessops/authn';
import { noTenant, transaction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit, unitOfWork } from '@accessops/events';
import { SessionStartedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx, ServiceParts } from '@accessops/service';
import { decodeJwt } from 'jose';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { chooseMemberships } from '../local/choose-memberships.ts';
import { hashOf } from '../local/refresh-token.ts';
import { type SecondFactorCode, useSecondFactor } from '../local/second-factor/use-second-factor.ts';
import { membershipsOf } from '../memberships.ts';
import type { Tokens } from '../provider.ts';
import { type Audience, endSessions } from '../session.ts';
import { sessionHoursIn } from '../tenant-rules.ts';
import { type Admin, unless } from './admin.ts';
import type { KeycloakTokens } from './grants.ts';
import type { KeycloakParts } from './keycloak-provider.ts';
import { keycloakActor, noOrigin } from './our-standing.ts';

const batch = 20;

/** Keycloak's id of the session that tokens belong to. They come from Keycloak itself, over a connection of ours. */
export const keycloakSessionOf = ({ accessToken }: Pick<KeycloakTokens, 'accessToken'>): string => String(decodeJwt(accessToken).sid);

/** A person's places in the tenants that are meant, as they are now; see `chooseMemberships` for the errors. */
export const placesOf = async (ctx: Ctx, accountId: string, audience: Audience, tenant: string) => {
  const account = await ctx.em.findOne(Account, { id: accountId, active: true });
  if (!account) throw new AppError('INVALID_CREDENTIALS');
  const { realmRoles } = account;
  return { account, places: chooseMemberships({ memberships: await membershipsOf(ctx.em, accountId), realmRoles, audience, tenant }) };
};

/** What a session is started with, once Keycloak has found the password right. */
export interface Start {
  accountId: string;
  tokens: KeycloakTokens;
  audience: Audience;
  tenant: string;
  code: SecondFactorCode;
  /** Whether the code that Keycloak was given came from here: then its token tells nothing of what the person has proved. */
  isCodeOurs: boolean;
}

/**
 * Notes a session that Keycloak has started; undefined when the second factor was wrong, which has to be committed. Errors: those of
 * `placesOf`, MFA_REQUIRED, TOO_MANY_ATTEMPTS. Needs a transaction across tenants.
 */
export const startSession = async (
  ctx: Ctx,
  { sealKey, settings }: Pick<KeycloakParts, 'sealKey' | 'settings'>,
  { accountId, tokens, audience, tenant, code, isCodeOurs }: Start,
): Promise<Tokens | undefined> => {
  const { account, places } = await placesOf(ctx, accountId, audience, tenant);
  // A session of several tenants belongs to none of them: it goes on when the person leaves one.
  const tenantId = (places.length === 1 && places[0]?.tenantId) || noTenant;
  const own = actingAs({ ...ctx, tenantId }, account);
  const use = await useSecondFactor(own, sealKey, account, code);
  if (use === 'wrong') return undefined;

  const { sid, acr } = decodeJwt<{ sid: string; acr?: string }>(tokens.accessToken);
  // Also when Keycloak has asked for a second factor that it alone knows.
  const isProved = use !== undefined || (acr === 'aal2' && !isCodeOurs);
  const sessionId = sessionIdOf(sid);
  const now = ctx.now();
  const tenantIds = places.map((place) => place.tenantId);
  const hours = await sessionHoursIn(ctx.em, settings, tenantIds);
  const refreshExpiresIn = Math.min(tokens.refreshExpiresIn, hours * 3600);
  const expiresAt = new Date(now.getTime() + refreshExpiresIn * 1000);
  await ctx.em.execute(
    `with started as (
       insert into session (id, tenant_id, account_id, audience, created_at, expires_at, provider_session, second_factor_at)
         values (?, ?, ?, ?, ?, ?, ?, ?) returning *)
     insert into refresh_token (hash, tenant_id, session_id, expires_at) select ?, tenant_id, id, expires_at from started`,
    [sessionId, tenantId, accountId, audience, now, expiresAt, sid, isProved ? now : null, hashOf(tokens.refreshToken)],
  );
  emit(own, SessionStartedSchema, { sessionId, userId: accountId }, sessionId, {
    action: 'SESSION_STARTED',
    entityType: 'SESSION',
    entityId: sessionId,
    changes: {
      userId: { after: accountId },
      audience: { after: audience },
      ...(isProved && { secondFactor: { after: use ?? 'keycloak' } }),
    },
  });
  return { ...tokens, refreshExpiresIn };
};

/** Ends sessions in Keycloak that have ended here, and here those that have ended in Keycloak. */
export interface Sessions {
  /** Ends in Keycloak what ended here. */
  tellEnded(): Promise<void>;
  /** Ends a session of Keycloak's that nothing here stands for. */
  end(keycloakSession: string): Promise<void>;
  /** Ends here what ended in Keycloak: sessions by Keycloak's ids. */
  hearEnded(keycloakSessions: string[]): Promise<void>;
  /** Ends here whatever sessions of these people Keycloak does not have any more. */
  compare(accountIds: string[]): Promise<void>;
}

/** Sessions on the tables of `identity`. */
export const createSessions = ({ pool, orm, outbox, now }: ServiceParts, { admin, realm }: { admin: Admin; realm: string }): Sessions => {
  const end = (session: string) => admin.run(({ realms }) => unless(404, realms.deleteSession({ realm, session, isOffline: false })));
  const across = <T extends object>(sql: string, values: unknown[]) =>
    transaction(orm.em, 'all-tenants', (em) => em.execute<T[]>(sql, values));
  const hearEnded = (keycloakSessions: string[]) =>
    unitOfWork(outbox, 'all-tenants', (em) =>
      endSessions(
        { em, tenantId: noTenant, actor: keycloakActor, origin: noOrigin, now },
        {
          where: 's.id = any(?::uuid[]) and s.provider_session <> ?',
          values: [`{${keycloakSessions.map(sessionIdOf).join()}}`, ''],
          reason: 'PROVIDER',
          actor: keycloakActor,
        },
      ),
    );
  return {
    end,
    tellEnded: async () => {
      const ended = await across<{ id: string; provider_session: string }>(
        `select id, provider_session from session
          where ended_at is not null and provider_ended_at is null and provider_session <> '' order by ended_at limit ${batch}`,
        [],
      );
      for (const { id, provider_session } of ended) {
        await end(provider_session);
        await across('update session set provider_ended_at = ? where id = ?', [now(), id]);
      }
    },
    hearEnded: async (keycloakSessions) => {
      if (keycloakSessions.length > 0) await hearEnded(keycloakSessions);
    },
    compare: async (accountIds) => {
      if (accountIds.length === 0) return;
      const { rows } = await pool.query<{ id: string }>('select id from account where id::text = any($1::text[])', [accountIds]);
      for (const { id } of rows) {
        // Ours first: a session that starts meanwhile is in neither list.
        const ours = await across<{ provider_session: string }>(
          `select provider_session from session where account_id = ? and ended_at is null and provider_session <> ''`,
          [id],
        );
        if (ours.length === 0) continue;
        const theirs = await admin.run(({ users }) =>
          users.listSessions({ id }).catch((error: unknown) => {
            if ((error as { response?: Response }).response?.status === 404) return [];
            throw error;
          }),
        );
        const living = new Set(theirs.map((session) => session.id));
        const ended = ours.map(({ provider_session }) => provider_session).filter((session) => !living.has(session));
        if (ended.length > 0) await hearEnded(ended);
      }
    },
  };
};
