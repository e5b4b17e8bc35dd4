import { readFileSync } from 'node:fs';
import { jsonFile, keyFile, readServiceEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';
import { problemsOf } from '@accessops/telemetry';
import { z } from 'zod';
import { parseEmail } from './email.ts';
import type { MailConfig } from './mail/mailer.ts';
import { checkPassword } from './password-rules.ts';
import { realmRoles } from './realm-role.ts';
import { type EnvironmentValues, environmentValues } from './settings/environment-values.ts';

// The same rules as for everybody, so that a file that cannot be used is told at start and not tried again and again.
const platformUser = z
  .object({
    email: z.string(),
    firstName: z.string().min(1).max(100),
    lastName: z.string().min(1).max(100),
    password: z.string(),
    realmRoles: z.array(z.enum(realmRoles)).min(1),
  })
  .superRefine(({ email, password }, ctx) => {
    try {
      checkPassword(password, parseEmail(email));
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: `${email}: ${error instanceof Error ? error.message : 'cannot be used'}` });
    }
  });

const platformUsers = z.array(platformUser);

export type PlatformUser = z.infer<typeof platformUser>;

const secretFile = z.string().transform((path, ctx): string => {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret !== '') return secret;
  } catch {}
  ctx.addIssue({ code: 'custom', message: `file ${path} must hold a secret` });
  return z.NEVER;
});

/** What identity is told, besides values of settings. */
export const environment = serviceEnvironment.extend({
  /** Where people reach the platform; links in mails begin with it. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }),
  /** Mail server: `smtp://user:password@host:port` or `smtps://…`. */
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
    .optional()
    .meta({ without: 'Mails become files in MAIL_DIRECTORY: nobody receives any' }),
  /** Without a mail server: the folder into which mails are written as files. One of the two is needed. */
  MAIL_DIRECTORY: z.string().min(1).optional(),
  /** Whom mails come from. */
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]+@[^\r\n]+$/, 'must be an e-mail address')
    .default('AccessOps <accessops@localhost>'),
  /** `iss` of access tokens: the public URL of the platform, or the address of Keycloak's realm. The gateway has the same. */
  ISSUER: z.url(),
  /** 32 bytes in base64; seals the signing keys at rest. */
  IDENTITY_KEY_FILE: keyFile,
  /** Who keeps passwords and sessions: the provider that comes with AccessOps, or a Keycloak, whose realm is the issuer then. */
  IDENTITY_PROVIDER: z.enum(['local', 'keycloak']).default('local'),
  /** Secret of the realm's clients; needed with Keycloak. */
  KEYCLOAK_CLIENT_SECRET_FILE: secretFile.optional(),
  /** Platform staff, created at start when missing: see docs/operations.md#the-first-people. */
  PLATFORM_USERS_FILE: jsonFile(platformUsers).optional().meta({ without: 'No platform staff is made at start' }),
});

const inconsistencies = (given: Record<string, string | undefined>): string[] => {
  const withKeycloak = given.IDENTITY_PROVIDER === 'keycloak';
  return [
    ...(withKeycloak && !given.KEYCLOAK_CLIENT_SECRET_FILE ? ['KEYCLOAK_CLIENT_SECRET_FILE: is needed with Keycloak'] : []),
    ...(withKeycloak && given.ISSUER && !/\/realms\/[^/]+$/.test(given.ISSUER) ? ['ISSUER: must be the address of a realm'] : []),
    ...(given.SMTP_URL || given.MAIL_DIRECTORY ? [] : ['SMTP_URL: is needed, or MAIL_DIRECTORY instead']),
  ];
};

export interface IdentityConfig extends ServiceConfig {
  /** Set when the provider is a Keycloak. */
  keycloak: { clientSecret: string } | undefined;
  issuer: string;
  publicUrl: string;
  mail: MailConfig;
  sealKey: Buffer;
  platformUsers: PlatformUser[];
  /** Values of settings. */
  settings: EnvironmentValues;
}

/** The configuration out of environment variables; throws a ConfigError. */
export const configFrom = (env: Record<string, string | undefined>): IdentityConfig => {
  const parsed = readServiceEnvironment('identity', environment, env, (given) => [
    ...inconsistencies(given),
    ...problemsOf(() => environmentValues(env)),
  ]);
  const { SMTP_URL: smtpUrl, MAIL_DIRECTORY: directory, MAIL_FROM: from } = parsed;
  return {
    ...toServiceConfig(environment.shape, parsed),
    issuer: parsed.ISSUER,
    publicUrl: parsed.PUBLIC_URL,
    mail: smtpUrl === undefined ? { from, directory: directory ?? '' } : { from, smtpUrl },
    keycloak: parsed.IDENTITY_PROVIDER === 'keycloak' ? { clientSecret: parsed.KEYCLOAK_CLIENT_SECRET_FILE ?? '' } : undefined,
    sealKey: parsed.IDENTITY_KEY_FILE,
    platformUsers: parsed.PLATFORM_USERS_FILE ?? [],
    settings: environmentValues(env),
  };
};
