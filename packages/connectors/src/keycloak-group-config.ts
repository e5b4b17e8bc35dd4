import { z } from 'zod';
import { loginName } from './login-name.ts';

/** Groups of a Keycloak realm, and which of them each access role means. */
export const keycloakGroupConfig = z.strictObject({
  login: loginName.describe('Which of the realms that the provisioner has been given to use.'),
  roles: z
    .record(z.string(), z.uuid('must be the id of a group'))
    .describe('For each role that can be asked for: the id of the group that it means.'),
});

export type KeycloakGroupConfig = z.infer<typeof keycloakGroupConfig>;
