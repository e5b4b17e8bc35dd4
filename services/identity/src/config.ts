import { jsonFile, keyFile, readEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';
import { z } from 'zod';
import { realmRoles } from './realm-role.ts';

const platformUsers = z.array(
  z.object({
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    password: z.string(),
    realmRoles: z.array(z.enum(realmRoles)).min(1),
  }),
);

export type PlatformUser = z.infer<typeof platformUsers>[number];

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
