import type { MfaSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JSONWebKeySet } from 'jose';
import type { Account } from './account.ts';
import type { RealmRole } from './realm-role.ts';

export interface Credentials {
  email: string;
  password: string;
  /** app, org-admin or admin; empty means app. */
  audience: string;
  /** Slug; empty when not named: then the session is good in all tenants of the person's. */
  tenant: string;
  /** Six digits; empty when not given. */
  totp: string;
  /** Instead of them; empty when not given. */
  recoveryCode: string;
}

/** Where a provider keeps people's second factors. */
export interface SecondFactors {
  get(call: Call): Promise<MessageInitShape<typeof MfaSchema>>;
  /** Makes a secret that counts once it is confirmed. Errors: MFA_ALREADY_ENROLLED. */
  begin(call: Call): Promise<{ secret: string; uri: string }>;
  /** Answers recovery codes. Errors: MFA_NOT_BEGUN, INVALID_FIELDS, TOO_MANY_ATTEMPTS. */
  confirm(call: Call, code: string): Promise<string[]>;
  /** Errors: MFA_NOT_ENROLLED, INSUFFICIENT_AUTHENTICATION. */
  renewRecoveryCodes(call: Call): Promise<string[]>;
  /** The caller's own. Errors: MFA_NOT_ENROLLED, INSUFFICIENT_AUTHENTICATION. */
  remove(call: Call): Promise<void>;
  /** That of a user of the caller's tenant. Errors: USER_NOT_FOUND, MFA_NOT_ENROLLED, BELONGS_ELSEWHERE. */
  removeOf(call: Call, userId: string): Promise<void>;
}

/** The answer to a login or refresh; lifetimes in seconds. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  refreshExpiresIn: number;
}

export interface NewPerson {
  email: string;
  firstName: string;
  lastName: string;
  password: string;
  /** Characters that the password must have at least; 12 when not told. */
  minLength?: number;
  realmRoles?: RealmRole[];
}

/** An account that is ready to be added; slow and outside work was done before the transaction that adds it. */
export interface PreparedAccount {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  /** Adds the account in the caller's transaction. Errors: EMAIL_TAKEN. */
  add(ctx: Pick<Ctx, 'em' | 'now'>): Promise<Account>;
}

/** A password that somebody wants, and how many characters it must have at least. */
export interface WantedPassword {
  password: string;
  minLength: number;
}

/** Sets a password that was checked, in the caller's transaction. */
export type SetPassword = (ctx: Pick<Ctx, 'em' | 'now'>) => Promise<void>;

/** Who proves that people are who they say: keeps secrets, starts sessions and signs tokens. */
export interface IdentityProvider {
  /**
   * Starts a session, good in the tenant that is named or in all of the person's. Errors: INVALID_CREDENTIALS, AUDIENCE_NOT_ALLOWED,
   * TENANT_SUSPENDED; with the right password also MFA_REQUIRED, INVALID_MFA_CODE, TOO_MANY_ATTEMPTS.
   */
  login(call: Call, credentials: Credentials): Promise<Tokens>;
  /** Exchanges a refresh token. Errors: INVALID_REFRESH_TOKEN, AUDIENCE_NOT_ALLOWED, TENANT_SUSPENDED. */
  refresh(call: Call, refreshToken: string): Promise<Tokens>;
  /** Raises the caller's session to two factors. Errors: MFA_NOT_ENROLLED, INVALID_MFA_CODE, TOO_MANY_ATTEMPTS, SESSION_ENDED. */
  stepUp(call: Call, code: Pick<Credentials, 'totp' | 'recoveryCode'>): Promise<Tokens>;
  /** Ends the session of a refresh token, if it has one. */
  logout(call: Call, refreshToken: string): Promise<void>;
  /** The public keys of its access tokens. */
  jwks(): Promise<JSONWebKeySet>;
  /**
   * Checks a new person, does what is slow or outside, and hands the account to `use`, which adds it in a transaction of its own. What
   * `use` did not add is gone afterwards, wherever it was made. Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK, and those of `use`.
   */
  withAccount<T>(person: NewPerson, use: (prepared: PreparedAccount) => Promise<T>): Promise<T>;
  secondFactor: SecondFactors;
  /**
   * Checks a new password of somebody's, does what is slow or outside, and hands to `use` what sets it in a transaction of its own.
   * Errors: PASSWORD_TOO_WEAK, and those of `use`.
   */
  withPassword<T>(account: Pick<Account, 'id' | 'email'>, wanted: WantedPassword, use: (set: SetPassword) => Promise<T>): Promise<T>;
  /** What has to be done at start and then every few minutes; may be done by many instances at once. */
  maintain(): Promise<void>;
  /** Ends its background work. */
  close(): Promise<void>;
}
