import { z } from 'zod';
import { ConnectorError, type Found } from '../../connector.ts';
import type { Login } from '../logins.ts';
import { explainFailure } from './explain-failure.ts';
import { keyOf } from './list-users.ts';
import type { S3Login } from './s3-login.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const principals = z.union([
  z.string().transform((one) => [one]),
  z.record(z.string(), oneOrMore).transform((by) => Object.values(by).flat()),
]);
const document = z.object({ Statement: z.union([z.unknown(), z.array(z.unknown())]).transform((value) => [value].flat()) });
const statement = z.object({ Effect: z.literal('Allow'), Principal: principals });

const emptyPolicy = '{"Statement": []}';

/** Whom the policy of a bucket lets in; nobody whom we have made is named there. */
export const othersIn = (policy: string): string[] => {
  const allowed = document.parse(JSON.parse(policy)).Statement.flatMap((one) => statement.safeParse(one).data?.Principal ?? []);
  return [...new Set(allowed)].filter((name) => keyOf(name.replace(/^.*\//, '')) === null).sort();
};

/** The policy of a bucket, maybe an empty one; null when there is no such bucket. */
export const policyAt = async ({ name, settings }: Login<S3Login>, bucket: string, signal: AbortSignal): Promise<string | null> => {
  // Large, so only where it is used.
  const { S3Client, GetBucketPolicyCommand } = await import('@aws-sdk/client-s3');
  const { URL: endpoint, REGION: region, ACCESS_KEY, SECRET_KEY } = settings;
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  try {
    const { Policy } = await client.send(new GetBucketPolicyCommand({ Bucket: bucket }), { abortSignal: signal });
    return Policy ?? emptyPolicy;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucketPolicy') return emptyPolicy;
    if (error instanceof Error && error.name === 'NoSuchBucket') return null;
    throw explainFailure(name, false, error);
  } finally {
    client.destroy();
  }
};

export const noBucket = (bucket: string): ConnectorError => new ConnectorError('refused', `The store has no bucket "${bucket}"`);

/** Those whom the policy of the bucket lets in besides. */
export const othersInPolicy = async (login: Login<S3Login>, bucket: string, signal: AbortSignal): Promise<Found[]> => {
  const policy = await policyAt(login, bucket, signal);
  if (policy === null) throw noBucket(bucket);
  return othersIn(policy).map((one) => ({ key: null, name: one, kind: 'principal', inForce: true }));
};
