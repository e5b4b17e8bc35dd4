import { jsonFile, keyFile, readEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';
import { z } from 'zod';
import { parseEmail } from './email.ts';
import { checkPassword } from './password-rules.ts';
import { realmRoles } from './realm-role.ts';

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

const environment = serviceEnvironment.extend({
  /** `iss` of access tokens: the public URL of the platform. */
  ISSUER: z.url(),
  /** 32 bytes in base64; seals the signing keys at rest. */
  IDENTITY_KEY_FILE: keyFile,
  /** Platform staff, created at start when missing. */
  PLATFORM_USERS_FILE: jsonFile(platformUsers).optional(),
});

export interface IdentityConfig extends ServiceConfig {
  issuer: string;
  sealKey: Buffer;
  platformUsers: PlatformUser[];
}

/** The configuration out of environment variables; throws a ConfigError. */
export const configFrom = (env: Record<string, string | undefined>): IdentityConfig => {
  const parsed = readEnvironment(environment, env);
  return {
    ...toServiceConfig(parsed),
    issuer: parsed.ISSUER,
    sealKey: parsed.IDENTITY_KEY_FILE,
    platformUsers: parsed.PLATFORM_USERS_FILE ?? [],
  };
};
