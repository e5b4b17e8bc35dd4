import { checkPassword } from '../password-rules.ts';
import type { IdentityProvider } from '../provider.ts';
import { hashPassword } from './password-hash.ts';

/** Checks and hashes a new password; `use` is handed what stores it. Errors: PASSWORD_TOO_WEAK. */
export const withPassword: IdentityProvider['withPassword'] = async ({ id, email }, { password, minLength }, use) => {
  checkPassword(password, email, minLength);
  const passwordHash = await hashPassword(password);
  return use(async ({ em, now }) => {
    await em.execute('update account set password_hash = ?, updated_at = ? where id = ?', [passwordHash, now(), id]);
  });
};
