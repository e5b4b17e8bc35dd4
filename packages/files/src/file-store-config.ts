import { z } from 'zod';

/** A bucket, and a key that may read, write and delete there. */
export interface S3StoreConfig {
  bucket: string;
  url: string;
  region: string;
  accessKey: string;
  secretKey: string;
}

/** Where files are kept. */
export type FileStoreConfig = { directory: string } | S3StoreConfig;

/** What a process that keeps files is configured with. */
export const fileStoreFields = {
  /** The folder that files are kept in; needed unless FILES_S3_BUCKET names a bucket. */
  FILES_DIRECTORY: z.string().min(1).optional(),
  /** Bucket of an S3-compatible store. */
  FILES_S3_BUCKET: z.string().min(1).optional(),
  /** Address of that store; needed with a bucket, as are the keys. */
  FILES_S3_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Its region. */
  FILES_S3_REGION: z.string().default('us-east-1'),
  /** A key that may get, put and delete objects of the bucket. */
  FILES_S3_ACCESS_KEY: z.string().min(1).optional(),
  /** The secret of that key. */
  FILES_S3_SECRET_KEY: z.string().min(1).optional(),
};

const environment = z.object(fileStoreFields);
const ofBucket = ['FILES_S3_URL', 'FILES_S3_ACCESS_KEY', 'FILES_S3_SECRET_KEY'] as const;

/** What is missing of it, a line each. */
export const missingOfFileStore = (env: Partial<Record<keyof typeof fileStoreFields, string>>): string[] => {
  if (env.FILES_S3_BUCKET) return ofBucket.filter((name) => !env[name]).map((name) => `${name}: is needed with FILES_S3_BUCKET`);
  return env.FILES_DIRECTORY ? [] : ['FILES_DIRECTORY: is needed, or FILES_S3_BUCKET instead'];
};

/** The configuration out of variables of which none is missing. */
export const fileStoreConfigOf = (env: z.infer<typeof environment>): FileStoreConfig =>
  env.FILES_S3_BUCKET
    ? {
        bucket: env.FILES_S3_BUCKET,
        url: env.FILES_S3_URL ?? '',
        region: env.FILES_S3_REGION,
        accessKey: env.FILES_S3_ACCESS_KEY ?? '',
        secretKey: env.FILES_S3_SECRET_KEY ?? '',
      }
    : { directory: env.FILES_DIRECTORY ?? '' };
