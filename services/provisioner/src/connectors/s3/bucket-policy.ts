import type { S3Config } from '@accessops/connectors';

const objectActions: Record<S3Config['roles'][string], string[]> = {
  read: ['s3:GetObject'],
  'read-write': ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
};

/** What a user may do, as an IAM policy: work with one bucket until the end, by the clock of the store. */
export const bucketPolicy = (bucket: string, what: S3Config['roles'][string], end: Date): string => {
  const Condition = { DateLessThan: { 'aws:CurrentTime': end.toISOString() } };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: `arn:aws:s3:::${bucket}`, Condition },
      { Effect: 'Allow', Action: objectActions[what], Resource: `arn:aws:s3:::${bucket}/*`, Condition },
    ],
  });
};
