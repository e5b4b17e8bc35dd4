import { z } from 'zod';
import { loginName } from './login-name.ts';

/** How the names of roles begin that this connector makes: one per grant. */
export const madeRolePrefix = 'accessops_';

/** Longer names are cut off by PostgreSQL, and would then be another role's. */
const roleName = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= 63, 'must have at most 63 bytes')
  .refine((name) => !name.includes('\0') && name.isWellFormed(), 'must not hold NUL characters or half of a surrogate pair')
  .refine((name) => !name.startsWith('pg_'), 'must not be a role of PostgreSQL itself')
  .refine((name) => !name.startsWith(madeRolePrefix), 'must not be a role that is made for a grant');

/** A database of a PostgreSQL server, and what each access role means there. */
export const postgresConfig = z.strictObject({
  login: loginName.describe('Which of the logins that the provisioner has been given to use; it names the server and the database.'),
  roles: z
    .record(z.string(), z.array(roleName).min(1).max(10))
    .describe('For each role that can be asked for: the roles at the target whose privileges it gives.'),
  connectionLimit: z.number().int().min(1).max(100).default(5).describe('How many sessions a holder may have at a time.'),
});

export type PostgresConfig = z.infer<typeof postgresConfig>;
