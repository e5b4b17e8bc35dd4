import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { ServiceParts } from '@accessops/service';
import type { Admin } from './admin.ts';
import { answerWithinMs } from './answer-within.ts';
import { findAuthenticatorApp } from './authenticator-app.ts';
import { putPassword } from './credentials.ts';
import { readKeycloakStanding, writeKeycloakEmail, writeKeycloakStanding } from './keycloak-standing.ts';
import { mergeStanding, type Standing } from './merge-standing.ts';
import type { Organizations } from './organizations.ts';
import { readOurStanding, takeOver } from './our-standing.ts';

const leaseSeconds = 30;
const batch = 10;

interface Claimed {
  account_id: string;
  /** bigint, as the driver gives it. */
  changed: string;
  settled: Standing;
  /** A new password that Keycloak does not know yet. */
  password_hash: string | null;
}

/** Keeps what Keycloak knows of people and what we know of them the same. */
export interface Reconciler {
  /** Settles what is due now; answers how many people that were. */
  round(): Promise<number>;
  /** Settles one person if that is due; waits while somebody else does. Errors: DEPENDENCY_UNAVAILABLE. */
  settle(accountId: string): Promise<void>;
  /** Notes that Keycloak tells of a change; ids of others than our people are ignored. */
  note(ids: string[]): Promise<void>;
}

export interface ReconcilerOptions {
  parts: ServiceParts;
  admin: Admin;
  organizations: Organizations;
  sealKey: Buffer;
}

const claimSql = (which: string) => `
  update keycloak_account k set leased_until = now() + interval '${leaseSeconds} seconds'
    where k.account_id in (
      select account_id from keycloak_account
       where (leased_until is null or leased_until < now()) and ${which}
       order by due_at limit ${batch} for update skip locked)
  returning k.account_id, k.changed, k.settled, k.password_hash`;

/** A reconciler on the tables of `identity`. */
export const createReconciler = ({ parts, admin, organizations, sealKey }: ReconcilerOptions): Reconciler => {
  const { pool, orm, outbox, now, log } = parts;

  const tellPassword = async (accountId: string, passwordHash: string): Promise<void> => {
    await putPassword(admin, accountId, passwordHash);
    await pool.query('update keycloak_account set password_hash = null where account_id = $1 and password_hash = $2', [
      accountId,
      passwordHash,
    ]);
  };

  const reconcile = async ({ account_id: accountId, changed, settled, password_hash: passwordHash }: Claimed): Promise<void> => {
    if (passwordHash) await tellPassword(accountId, passwordHash);
    const ours = await transaction(orm.em, 'all-tenants', (em) => readOurStanding(em, accountId));
    if (!ours) return;
    const theirs = await readKeycloakStanding(admin, accountId, [settled.secondFactor, ours.secondFactor]);
    const { push, pull } = mergeStanding(settled, ours, theirs);
    if (push.email !== undefined && !(await writeKeycloakEmail(admin, accountId, push.email))) {
      // Somebody else's in Keycloak: the change cannot be, and both go on with the address before.
      delete push.email;
      pull.email = theirs.email;
    }
    if (Object.keys(push).length > 0) {
      const app = push.secondFactor ? await findAuthenticatorApp(pool, sealKey, accountId) : undefined;
      await writeKeycloakStanding(admin, organizations, accountId, { push, before: theirs, app });
      const gone = Object.keys(push).filter((piece) => push[piece] === undefined);
      await pool.query('update keycloak_account set settled = (settled || $2::jsonb) - $3::text[] where account_id = $1', [
        accountId,
        JSON.stringify(push),
        gone,
      ]);
    }
    for (const [piece, value] of Object.entries(pull)) {
      if (!(await takeOver({ outbox, now, accountId }, changed, piece, value))) return;
    }
    // Where both had made the same change, that is what they agree on.
    if (Object.keys(push).length + Object.keys(pull).length === 0) {
      await pool.query('update keycloak_account set settled = $2 where account_id = $1 and changed = $3', [
        accountId,
        JSON.stringify(theirs),
        changed,
      ]);
    }
  };

  /** Settles what was claimed; what has changed meanwhile stays due, and what fails is tried again later and later. */
  const work = async (claimed: Claimed): Promise<void> => {
    try {
      await reconcile(claimed);
      await pool.query(
        `update keycloak_account set leased_until = null, attempts = 0, due_at = case when changed = $2 then null else due_at end where account_id = $1`,
        [claimed.account_id, claimed.changed],
      );
    } catch (error) {
      await pool
        .query(
          `update keycloak_account set leased_until = null, attempts = attempts + 1,
             due_at = now() + least(30, 0.5 * power(2, least(attempts, 8))) * interval '1 second' where account_id = $1`,
          [claimed.account_id],
        )
        .catch((cause: unknown) => log.warn({ err: cause }, 'a lease is left to run out'));
      throw error;
    }
  };

  const claim = async (which: string, values: unknown[]): Promise<Claimed[]> => (await pool.query<Claimed>(claimSql(which), values)).rows;

  return {
    round: async () => {
      const claimed = await claim('due_at <= now()', []);
      const results = await Promise.allSettled(claimed.map(work));
      for (const result of results) if (result.status === 'rejected') log.warn({ err: result.reason }, 'not settled with Keycloak yet');
      return results.filter(({ status }) => status === 'fulfilled').length;
    },
    settle: async (accountId) => {
      for (const deadline = Date.now() + answerWithinMs; Date.now() < deadline; await delay(20)) {
        const { rows } = await pool.query<{ due: boolean }>(
          'select due_at is not null as due from keycloak_account where account_id = $1',
          [accountId],
        );
        if (!rows[0]?.due) return;
        const [claimed] = await claim('due_at is not null and account_id = $1', [accountId]);
        if (claimed) await work(claimed);
      }
      // Going on would mean to ask a Keycloak that does not know enough yet, and to call a right password wrong.
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer');
    },
    note: async (ids) => {
      await pool.query(
        'update keycloak_account set changed = changed + 1, attempts = 0, due_at = now() where account_id::text = any($1::text[])',
        [ids],
      );
    },
  };
};
