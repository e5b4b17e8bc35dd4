import { z } from 'zod';

const address = (meaning: string) => z.url({ protocol: /^https?$/, error: meaning });

/** A store with the IAM interface of AWS, and a key there that may make users below /accessops/. */
export const s3Login = z.object({
  /** Where users are made. */
  IAM_URL: address('must be the address of the IAM interface'),
  /** Where holders of access read and write. */
  URL: address('must be the address of the store'),
  /** Its region. */
  REGION: z.string().default('us-east-1'),
  /** A key with the rights told in docs/connectors.md. */
  ACCESS_KEY: z.string('must be an access key').min(1, 'must be an access key'),
  /** The secret of that key. */
  SECRET_KEY: z.string('must be a secret key').min(1, 'must be a secret key'),
});

export type S3Login = z.infer<typeof s3Login>;
