import { newId, onUnique } from '@accessops/db';
import { parseName } from '@accessops/names';
import { Account } from '../account.ts';
import { parseEmail } from '../email.ts';
import { checkPassword } from '../password-rules.ts';
import type { NewPerson, PreparedAccount } from '../provider.ts';
import { hashPassword } from './password-hash.ts';

/** Checks a new person and hashes the password. Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK. */
export const prepareAccount = async ({ password, minLength, realmRoles = [], ...person }: NewPerson): Promise<PreparedAccount> => {
  const email = parseEmail(person.email);
  const firstName = parseName('/firstName', person.firstName);
  const lastName = parseName('/lastName', person.lastName);
  checkPassword(password, email, minLength);
  const passwordHash = await hashPassword(password);
  const id = newId();
  return {
    id,
    email,
    firstName,
    lastName,
    add: async ({ em, now }) => {
      const at = now();
      const account = em.create(Account, {
        id,
        email,
        passwordHash,
        realmRoles,
        firstName,
        lastName,
        active: true,
        version: 1,
        createdAt: at,
        updatedAt: at,
      });
      // The unique index decides; flushed at once, so that no other index can be the first to refuse.
      await em.flush().catch(onUnique({ account_email: 'EMAIL_TAKEN' }));
      return account;
    },
  };
};
