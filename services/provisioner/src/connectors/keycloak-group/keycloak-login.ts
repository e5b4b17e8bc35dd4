import { z } from 'zod';

/** A realm, and a client of it whose service account manages members of groups. */
export const keycloakLogin = z.object({
  /** Of the server, without the realm. */
  URL: z.url({ protocol: /^https?$/, error: 'must be the address of a Keycloak' }),
  /** Its name. */
  REALM: z.string('must be the name of a realm').min(1, 'must be the name of a realm'),
  /** Of the client. */
  CLIENT_ID: z.string('must be the id of a client').min(1, 'must be the id of a client'),
  /** Of the client. */
  CLIENT_SECRET: z.string('must be the secret of the client').min(1, 'must be the secret of the client'),
  /** Paths of groups, separated by commas: these and those below them may be given, and no others. Without it, any group of the realm. */
  GROUPS: z
    .string()
    .regex(/^\/[^,]+(,\s*\/[^,]+)*$/, 'must be paths of groups, separated by commas')
    .optional(),
});

export type KeycloakLogin = z.infer<typeof keycloakLogin>;
