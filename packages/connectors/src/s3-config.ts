import { z } from 'zod';
import { loginName } from './login-name.ts';

/** A bucket of an S3-compatible store, and what each access role may do with it. */
export const s3Config = z.strictObject({
  login: loginName.describe('Which of the stores that the provisioner has been given to use.'),
  bucket: z
    .string()
    .regex(/^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
    .describe('The one bucket that access is given to.'),
  roles: z
    .record(z.string(), z.enum(['read', 'read-write']))
    .describe('For each role that can be asked for: what it may do with the objects of the bucket.'),
});

export type S3Config = z.infer<typeof s3Config>;
