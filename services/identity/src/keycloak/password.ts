import { setTimeout as delay } from 'node:timers/promises';
import { checkPassword } from '../password-rules.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Reconciler } from './reconciler.ts';

// What Keycloak itself takes, so that it does not hash anew at the next login: argon2id (2) with 7 MiB, five passes, one lane.
const parameters = { algorithm: 2, memoryCost: 7168, timeCost: 5, parallelism: 1 };

const tellWithinMs = 1000;

/**
 * Sets passwords in Keycloak. The transaction keeps the hash, and Keycloak is told it as all that it has to be told: at once if it answers,
 * and before the next login in any case. No password that the transaction refused ever reaches it.
 */
export const createWithPassword =
  (reconciler: Reconciler): IdentityProvider['withPassword'] =>
  async ({ id, email }, { password, minLength }, use) => {
    checkPassword(password, email, minLength);
    const { hash } = await import('@node-rs/argon2');
    const passwordHash = await hash(password, parameters);
    const done = await use(async ({ em }) => {
      await em.execute(
        'update keycloak_account set password_hash = ?, changed = changed + 1, attempts = 0, due_at = now() where account_id = ?',
        [passwordHash, id],
      );
    });
    // What fails, or takes long, is tried again with all the others.
    await Promise.race([reconciler.settle(id).catch(() => undefined), delay(tellWithinMs)]);
    return done;
  };
