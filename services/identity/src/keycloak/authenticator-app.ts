import type { Pool } from 'pg';
import { open } from '../local/seal.ts';
import { codeAt, totpEnrolment } from '../local/second-factor/totp.ts';
import { sealContext } from '../local/second-factor/use-second-factor.ts';
import type { AuthenticatorApp } from './credentials.ts';

const findSecret = async (pool: Pool, sealKey: Buffer, accountId: string) => {
  const { rows } = await pool.query<{ credential_id: string; secret: Buffer }>(
    'select credential_id, secret from totp where account_id = $1 and confirmed_at is not null',
    [accountId],
  );
  return rows[0] && { credentialId: rows[0].credential_id, secret: open(sealKey, rows[0].secret, sealContext(accountId)) };
};

/** The authenticator app of an account, as Keycloak is told of it. */
export const findAuthenticatorApp = async (pool: Pool, sealKey: Buffer, accountId: string): Promise<AuthenticatorApp | undefined> => {
  const found = await findSecret(pool, sealKey, accountId);
  return found && { credentialId: found.credentialId, secret: totpEnrolment(found.secret, '').secret };
};

/**
 * The code that Keycloak asks for in a login of somebody with an app; empty without one. Keycloak says of a login no more than that it is
 * refused, so the password alone is proved to it, and the code that the person gives is looked at here.
 */
export const codeForKeycloak = async (pool: Pool, sealKey: Buffer, accountId: string, now: Date): Promise<string> => {
  const found = await findSecret(pool, sealKey, accountId);
  return found ? codeAt(found.secret, now) : '';
};
