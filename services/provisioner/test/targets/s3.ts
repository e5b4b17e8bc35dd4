import { newId } from '@accessops/db';
import { startS3Store } from '@accessops/testing';
import { createS3Connector } from '../../src/connectors/s3/s3.ts';
import { newAccess } from '../access.ts';
import { page, plain, type RealTarget } from './real-target.ts';

const never = new AbortController().signal;

/** A bucket of a real store; undefined when there is no program for it. */
export const startS3 = async (): Promise<RealTarget | undefined> => {
  const store = await startS3Store();
  if (!store) return undefined;
  const bucket = `mine-${newId()}`;
  await store.makeBucket(bucket);
  const settings = store.settings();
  const config = (login: string) => ({ login, bucket, roles: { reader: 'read' } });
  // A store forgets what is gone: the connector itself makes again what was left there.
  const connector = createS3Connector(new Map([['admin', { name: 'admin', settings, tenants: new Set(['acme']) }]]));
  const access = (key: string) => newAccess({ key, resourceKey: 'lake', role: 'reader', config: config('admin') });
  const { IAMClient, ListUsersCommand, GetUserPolicyCommand } = await import('@aws-sdk/client-iam');
  const { S3Client, PutBucketPolicyCommand } = await import('@aws-sdk/client-s3');
  const client = { region: settings.REGION, credentials: { accessKeyId: settings.ACCESS_KEY, secretAccessKey: settings.SECRET_KEY } };
  const iam = new IAMClient({ ...client, endpoint: settings.IAM_URL });
  const s3 = new S3Client({ ...client, endpoint: settings.URL, forcePathStyle: true });
  return {
    connector: 's3',
    port: store.iamPort,
    login: (port) => store.settings(port),
    config,
    letsIn: async (credential) => (await store.as(credential, 'GET', `/${bucket}?list-type=2`)) === 200,
    endOf: async (key) => {
      const { PolicyDocument = '' } = await iam.send(
        new GetUserPolicyCommand({ UserName: `accessops-${plain(key)}`, PolicyName: 'access' }),
      );
      return new Date(/"aws:CurrentTime":"([^"]+)"/.exec(decodeURIComponent(PolicyDocument))?.[1] ?? 0);
    },
    objectsOf: async (key) => {
      const { Users = [] } = await iam.send(new ListUsersCommand({ PathPrefix: '/accessops/', MaxItems: 1000 }));
      return Users.flatMap(({ UserName }) => (UserName?.endsWith(plain(key)) ? [UserName] : []));
    },
    moments: { halfway: /Action=PutUserPolicy/, given: /Action=CreateAccessKey/, taken: /Action=DeleteUser&/ },
    strangers: [page('html'), page('xml'), page('html', '404 Not Found')],
    takeAway: (key) => connector.revoke(access(key), never),
    leave: async (key) => {
      await connector.apply(access(key), never);
    },
    giveToOther: async () => {
      const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }];
      await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
      return '*';
    },
    close: async () => {
      iam.destroy();
      s3.destroy();
      await store.close();
    },
  };
};
