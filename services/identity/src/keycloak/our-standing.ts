import { noTenant } from '@accessops/db';
import { emit, type Outbox, unitOfWork, type WriteContext } from '@accessops/events';
import { MembershipChangedSchema, UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Account } from '../account.ts';
import { addUser } from '../add-user.ts';
import { changeEverywhere } from '../change-everywhere.ts';
import { type Changes, changesBetween } from '../changes.ts';
import { normalizeEmail } from '../email.ts';
import { homeOf } from '../home-of.ts';
import { dropLinks } from '../links/link.ts';
import { verifyAddress } from '../links/verify-email.ts';
import { forgetSecondFactor } from '../local/second-factor/remove-second-factor.ts';
import type { OrgRole } from '../org-role.ts';
import type { RealmRole } from '../realm-role.ts';
import { endSessions } from '../session.ts';
import { snapshotOf } from '../snapshot.ts';
import { User } from '../user.ts';
import type { Standing } from './merge-standing.ts';
import { namesOf, organizationOf, pieces, rolesIn } from './pieces.ts';

/** Who does what was done in Keycloak, as the audit log names it. */
export const keycloakActor = { id: 'keycloak', type: 'system', email: '' };
export const noOrigin = { requestId: '', ip: '', userAgent: '', traceparent: '' };

interface Row {
  active: boolean;
  firstName: string;
  lastName: string;
  email: string;
  verified: boolean;
  realmRoles: RealmRole[];
  secondFactor: string | undefined;
  organizations: [string, OrgRole[]][];
}

/** What we know of a person, in pieces to compare; undefined for nobody. Needs a transaction across tenants. */
export const readOurStanding = async (em: EntityManager, accountId: string): Promise<Standing | undefined> => {
  const [row] = await em.execute<Row[]>(
    `select a.active, a.first_name as "firstName", a.last_name as "lastName", a.email, a.verified, a.realm_roles as "realmRoles",
            (select credential_id from totp where account_id = a.id and confirmed_at is not null) as "secondFactor",
            (select coalesce(jsonb_agg(jsonb_build_array(t.slug, u.org_roles)), '[]')
               from app_user u join tenant t on t.id = u.tenant_id where u.id = a.id and u.active) as organizations
       from account a where a.id = ?`,
    [accountId],
  );
  return row && pieces({ ...row, enabled: row.active, names: namesOf(row) });
};

export interface PullOptions {
  outbox: Outbox;
  now: () => Date;
  accountId: string;
}

type Take = (ctx: WriteContext, account: Account) => Promise<void>;

const tellUser = async (ctx: WriteContext, user: User, action: string, changes: Changes): Promise<void> =>
  emit(ctx, UserUpdatedSchema, { user: await snapshotOf(ctx.em, user) }, user.id, {
    action,
    entityType: 'USER',
    entityId: user.id,
    changes,
  });

const endAll = (ctx: WriteContext, where: string, values: unknown[]) =>
  endSessions(ctx, { where, values, reason: 'DEACTIVATED', actor: keycloakActor });

/** The account's part of being enabled or disabled. */
const takeEnabled =
  (value: string | undefined): Take =>
  async (ctx, account) => {
    const active = value === 'true';
    const changes = changesBetween({ active: account.active }, { active });
    account.active = active;
    account.version += 1;
    account.updatedAt = ctx.now();
    await ctx.em.flush();
    if (!active) await endAll(ctx, 's.account_id = ?', [account.id]);
    const { id, email, version } = account;
    const action = active ? 'USER_REACTIVATED' : 'USER_DEACTIVATED';
    const snapshot = { id, email, active, orgRoles: [], teamIds: [], version };
    emit(ctx, UserUpdatedSchema, { user: snapshot }, id, { action, entityType: 'USER', entityId: id, changes });
  };

/** What the tenants of somebody who was enabled or disabled are told: a user there is as active as the account. */
const takeEnabledInTenant: Take = async (ctx, account) => {
  const user = await ctx.em.findOne(User, { id: account.id, tenantId: ctx.tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!user?.active) return;
  user.touch(ctx.now());
  await ctx.em.flush();
  const { active } = account;
  await tellUser(ctx, user, active ? 'USER_REACTIVATED' : 'USER_DEACTIVATED', changesBetween({ active: !active }, { active }));
};

const takeRealmRoles =
  (value: string | undefined): Take =>
  async (ctx, account) => {
    const roles = rolesIn(value ?? '') as RealmRole[];
    const changes = changesBetween({ realmRoles: account.realmRoles }, { realmRoles: roles });
    account.realmRoles = roles;
    account.version += 1;
    account.updatedAt = ctx.now();
    await ctx.em.flush();
    const { id, email, active, version } = account;
    const snapshot = { id, email, active, orgRoles: [], teamIds: [], version };
    emit(ctx, UserUpdatedSchema, { user: snapshot }, id, { action: 'USER_UPDATED', entityType: 'USER', entityId: id, changes });
  };

/** An address that somebody else has here stays with them; Keycloak is told so the next time. */
const takeEmail =
  (value: string | undefined): Take =>
  async (ctx, account) => {
    const email = normalizeEmail(value ?? '');
    const before = account.email;
    if (!email || email === before || (await ctx.em.findOne(Account, { email }))) return;
    account.moveTo(email, ctx.now());
    await ctx.em.flush();
    await dropLinks(ctx.em, account.id, ['VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL']);
    await changeEverywhere(ctx, account, 'EMAIL_CHANGED', { email: { before, after: email } });
  };

/** An address that was verified here stays so; Keycloak is told the next time. */
const takeVerified =
  (value: string | undefined): Take =>
  async (ctx, account) => {
    if (value === 'true') await verifyAddress(ctx, account);
  };

/** Keycloak has ceased to ask for the authenticator app, and nothing else can have happened to it there. */
const takeSecondFactor: Take = async (ctx, account) => {
  await forgetSecondFactor({ ...ctx, tenantId: await homeOf(ctx.em, account.id) }, account.id);
};

const takeMembership =
  (value: string | undefined): Take =>
  async (ctx, account) => {
    const { em, tenantId } = ctx;
    const roles = rolesIn(value ?? '') as OrgRole[];
    const user = await em.findOne(User, { id: account.id, tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!user) {
      if (value !== undefined) await addUser(ctx, account, roles);
      return;
    }
    const { active: wasActive, orgRoles: hadRoles } = user;
    const active = value !== undefined;
    if (active) user.hold(roles, ctx.now());
    user.describe({ firstName: user.firstName, lastName: user.lastName, active }, ctx.now());
    await em.flush();
    if (!active) await endAll(ctx, 's.account_id = ? and s.tenant_id = ?', [user.id, tenantId]);
    const changes = changesBetween({ active: wasActive, orgRoles: hadRoles }, { active, orgRoles: user.orgRoles });
    if (wasActive !== active) return tellUser(ctx, user, active ? 'USER_REACTIVATED' : 'USER_DEACTIVATED', changes);
    emit(ctx, MembershipChangedSchema, { user: await snapshotOf(em, user) }, user.id, {
      action: 'MEMBERSHIP_CHANGED',
      entityType: 'MEMBERSHIP',
      entityId: user.id,
      changes,
    });
  };

/** Whether the account is as it was when `changed` was read; keeps it so until the transaction ends. */
const holdStill = async (em: EntityManager, accountId: string, changed: string): Promise<boolean> => {
  const rows = await em.execute<{ changed: string }[]>('select changed from keycloak_account where account_id = ? for update', [accountId]);
  return String(rows[0]?.changed) === changed;
};

/** Notes that both sides agree on a piece now; what the triggers have counted meanwhile was this very change. */
const settle = (em: EntityManager, accountId: string, changed: string, piece: string, value: string | undefined) =>
  em.execute(
    `update keycloak_account set changed = ?, settled = case when ?::text is null then settled - ?::text else settled || jsonb_build_object(?::text, ?::text) end
      where account_id = ?`,
    [changed, value ?? null, piece, piece, value ?? null, accountId],
  );

/**
 * Takes over from Keycloak what differs in a piece, with what follows from it: sessions end, events tell of it. Answers false, and does
 * nothing, when the account has been changed here since `changed` was read.
 */
export const takeOver = async (
  { outbox, now, accountId }: PullOptions,
  changed: string,
  piece: string,
  value: string | undefined,
): Promise<boolean> => {
  const run = (tenantId: string, acrossTenants: boolean, take?: Take) =>
    unitOfWork(outbox, acrossTenants ? 'all-tenants' : { tenantId }, async (em) => {
      if (!(await holdStill(em, accountId, changed))) return false;
      const account = await em.findOneOrFail(Account, accountId);
      const ctx = { em, tenantId, actor: keycloakActor, origin: noOrigin, now };
      await take?.(ctx, account);
      await em.flush();
      await settle(em, accountId, changed, piece, value);
      return true;
    });
  const tenantsOf = (where: string, values: unknown[]) =>
    unitOfWork(outbox, 'all-tenants', (em) => em.execute<{ id: string }[]>(`select id from tenant t where ${where}`, values));

  const slug = organizationOf(piece);
  if (slug) {
    const [tenant] = await tenantsOf('slug = ?', [slug]);
    // An organisation that Keycloak alone knows concerns nobody here.
    return tenant ? run(tenant.id, false, takeMembership(value)) : run(noTenant, false);
  }
  if (piece === 'email') return run(noTenant, true, takeEmail(value));
  if (piece === 'verified') return run(noTenant, true, takeVerified(value));
  if (piece === 'secondFactor') return run(noTenant, true, takeSecondFactor);
  if (piece === 'realmRoles') return run(noTenant, true, takeRealmRoles(value));
  // Names are kept here; those changed in Keycloak are noted and left there.
  if (piece !== 'enabled') return run(noTenant, true);
  if (!(await run(noTenant, true, takeEnabled(value)))) return false;
  for (const { id } of await tenantsOf('exists (select from app_user u where u.tenant_id = t.id and u.id = ?)', [accountId])) {
    await run(id, false, takeEnabledInTenant);
  }
  return true;
};
