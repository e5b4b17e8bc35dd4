import { setTimeout as delay } from 'node:timers/promises';
import { newId, onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { parseName } from '@accessops/names';
import type { Ctx, ServiceParts } from '@accessops/service';
import { Account } from '../account.ts';
import { parseEmail } from '../email.ts';
import { checkPassword } from '../password-rules.ts';
import type { NewPerson, PreparedAccount } from '../provider.ts';
import { type Admin, statusOf, unless } from './admin.ts';
import { namesOf, pieces } from './pieces.ts';

// Longer than a registration may take: its one call to Keycloak and its transaction both give up before.
const abandonAfterMs = 30_000;
// For as long Keycloak may still be making a user whom nobody waits for any more.
const lateUserWithinMs = 60_000;
const waitForOthersMs = 5_000;
// Keycloak's clock and ours may disagree; a user that is older than its draft by more is somebody else's.
const clockSkewMs = 5_000;

interface Draft {
  id: string;
  email: string;
  /** In milliseconds. */
  created_ms: number;
  age_ms: number;
}

/** People who are being made in Keycloak and here: either both come about or neither stays. */
export interface Drafts {
  withAccount<T>(person: NewPerson, use: (prepared: PreparedAccount) => Promise<T>): Promise<T>;
  /** Takes back what an instance that died has left behind. */
  sweep(): Promise<void>;
}

/**
 * Drafts on the tables of `identity`. The draft is noted first, then the user is made in Keycloak, disabled, and the transaction that adds
 * the account removes the draft: a draft that is left stands for a user in Keycloak whom nobody here knows.
 */
export const createDrafts = ({ pool, log }: ServiceParts, admin: Admin): Drafts => {
  /** The new draft's id; undefined for an address that has an account. Waits for somebody else's draft of the same address. */
  const open = async (email: string): Promise<string | undefined> => {
    const id = newId();
    for (const deadline = Date.now() + waitForOthersMs; Date.now() < deadline; await delay(50)) {
      const { rowCount: known } = await pool.query('select from account where email = $1', [email]);
      if (known) return undefined;
      const { rowCount: opened } = await pool.query(
        'insert into keycloak_draft (id, email, created_at) values ($1, $2, now()) on conflict (email) do nothing',
        [id, email],
      );
      if (opened) return id;
    }
    throw new AppError('DEPENDENCY_UNAVAILABLE', 'An account with this address is just being made; try again');
  };

  /** Removes the draft's user from Keycloak, then the draft; without a user only when none can come any more. */
  const takeBack = async ({ id, email, created_ms, age_ms }: Draft, isCertain: boolean): Promise<void> => {
    let isGone = isCertain || age_ms > lateUserWithinMs;
    const found = await admin.run(({ users }) => users.find({ email, exact: true }));
    for (const user of found) {
      const isDraft = user.enabled === false && (user.createdTimestamp ?? 0) >= created_ms - clockSkewMs;
      const { rowCount } = await pool.query('select from account where id::text = $1', [user.id]);
      if (!isDraft || rowCount !== 0) continue;
      await admin.run(({ users }) => unless(404, users.del({ id: user.id ?? '' })));
      isGone = true;
    }
    if (isGone) await pool.query('delete from keycloak_draft where id = $1', [id]);
  };

  const abandon = async (where: string, values: unknown[]): Promise<Draft[]> =>
    (
      await pool.query<Draft>(
        `update keycloak_draft set abandoned_at = now() where ${where}
         returning id, email, (extract(epoch from created_at) * 1000)::float8 as created_ms,
           (extract(epoch from now() - created_at) * 1000)::float8 as age_ms`,
        values,
      )
    ).rows;

  /** The new user's id; undefined when the address is taken in Keycloak. */
  const createUser = async (person: NewPerson, email: string): Promise<string | undefined> => {
    const { firstName, lastName, password } = person;
    const credentials = [{ type: 'password', value: password, temporary: false }];
    const user = { username: email, email, firstName, lastName, enabled: false, emailVerified: false, credentials };
    try {
      return (await admin.run(({ users }) => users.create(user))).id;
    } catch (error) {
      if (statusOf(error) === 409) return undefined;
      // Keycloak's own policy, where it asks for more than ours.
      if (statusOf(error) === 400) throw new AppError('PASSWORD_TOO_WEAK', undefined, { cause: error });
      throw error;
    }
  };

  const add = async (ctx: Pick<Ctx, 'em' | 'now'>, draftId: string, account: Account): Promise<Account> => {
    ctx.em.persist(account);
    await ctx.em.flush().catch(onUnique({ account_email: 'EMAIL_TAKEN' }));
    const settled = pieces({ enabled: false, names: namesOf(account), email: account.email, verified: false, realmRoles: [] });
    await ctx.em.execute(
      'insert into keycloak_account (account_id, settled, changed, attempts, due_at) values (?, ?::jsonb, 1, 0, now())',
      [account.id, JSON.stringify(settled)],
    );
    const taken = await ctx.em.execute<unknown[]>('delete from keycloak_draft where id = ? and abandoned_at is null returning id', [
      draftId,
    ]);
    if (taken.length === 0) throw new AppError('DEPENDENCY_UNAVAILABLE', 'It took too long to make the account');
    return account;
  };

  return {
    withAccount: async ({ realmRoles = [], ...person }, use) => {
      const email = parseEmail(person.email);
      const firstName = parseName('/firstName', person.firstName);
      const lastName = parseName('/lastName', person.lastName);
      checkPassword(person.password, email, person.minLength);
      const draftId = await open(email);
      let isAnswered = false;
      try {
        const id = draftId && (await createUser({ ...person, firstName, lastName }, email));
        isAnswered = true;
        return await use({
          id: id ?? newId(),
          email,
          firstName,
          lastName,
          add: async (ctx) => {
            // Said only now: a repeated call with an Idempotency-Key never comes here, it has its answer.
            if (!id || !draftId) throw new AppError('EMAIL_TAKEN');
            const at = ctx.now();
            const account = ctx.em.create(Account, {
              id,
              email,
              passwordHash: '',
              realmRoles,
              firstName,
              lastName,
              active: true,
              verified: false,
              version: 1,
              createdAt: at,
              updatedAt: at,
            });
            return add(ctx, draftId, account);
          },
        });
      } finally {
        // Gone when the account was added. What cannot be taken back now is taken back by the sweep.
        if (draftId) {
          await abandon('id = $1', [draftId])
            .then((drafts) => Promise.all(drafts.map((draft) => takeBack(draft, isAnswered))))
            .catch((error: unknown) => log.warn({ err: error }, 'a draft is left for the sweep'));
        }
      }
    },
    sweep: async () => {
      const drafts = await abandon(`abandoned_at is not null or created_at < now() - $1 * interval '1 millisecond'`, [abandonAfterMs]);
      for (const draft of drafts) await takeBack(draft, false);
    },
  };
};
