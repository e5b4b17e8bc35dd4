import { s3Config } from '@accessops/connectors';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { Access, Connector } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { meaningOf, readConfig } from '../read-config.ts';
import { untilReplaced } from '../until-replaced.ts';
import { believeOnlyIam } from './believe-only-iam.ts';
import { bucketPolicy } from './bucket-policy.ts';
import { explainFailure } from './explain-failure.ts';
import { fenceOf, type Iam, makeUser, prolongUser, removeUser, userNameOf } from './grant-user.ts';
import { listUsers } from './list-users.ts';
import { noBucket, othersInPolicy, policyAt } from './others-in-policy.ts';
import type { S3Login } from './s3-login.ts';

/** Runs `work` with the IAM interface of a login; throws a ConnectorError that tells what is known. */
const withIam = async <T>({ name, settings }: Login<S3Login>, signal: AbortSignal, work: (iam: Iam) => Promise<T>): Promise<T> => {
  const sdk = await import('@aws-sdk/client-iam');
  const { IAM_URL, REGION, ACCESS_KEY, SECRET_KEY } = settings;
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  // An attempt that fails is the job's to repeat.
  const client = new sdk.IAMClient({ endpoint: IAM_URL, region: REGION, credentials, maxAttempts: 1 });
  believeOnlyIam(client);
  const inTime = untilReplaced(signal);
  let touched = false;
  const send = ((command: Parameters<IAMClient['send']>[0]) => {
    inTime();
    return client.send(command, { abortSignal: signal });
  }) as IAMClient['send'];
  const change = ((command: Parameters<IAMClient['send']>[0]) => {
    touched = true;
    return send(command);
  }) as IAMClient['send'];
  try {
    return await work({ sdk, ask: send, change });
  } catch (error) {
    throw explainFailure(name, touched, error);
  } finally {
    client.destroy();
  }
};

// The store of keys is asked next, and has to have its time.
const lookMs = 2000;

/** A key is made for whatever a policy names. Throws a ConnectorError when it would open nothing; what cannot be told now stands in nobody's way. */
const mustHaveBucket = async (login: Login<S3Login>, bucket: string, signal: AbortSignal): Promise<void> => {
  const looking = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
  const policy = await policyAt(login, bucket, looking).catch(() => undefined);
  if (policy === null) throw noBucket(bucket);
};

/**
 * Gives access to buckets of an S3-compatible store: one IAM user per grant, with a key and a policy for that bucket. What it needs at the
 * target is in docs/connectors.md.
 */
export const createS3Connector = (logins: Logins<S3Login>): Connector => {
  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const config = readConfig(s3Config, access);
    const policy = () => bucketPolicy(config.bucket, meaningOf(config.roles, access), new Date(access.now.getTime() + access.durationMs));
    return { config, login: loginOf(logins, config.login, access), name: userNameOf(access), policy };
  };

  return {
    plan: async (access) => {
      const { config, name } = open(access);
      return {
        steps: [
          `Make the user ${name}, with a key that may ${meaningOf(config.roles, access).replace('-', ' and ')} objects of the bucket ${config.bucket}`,
          'At the end: delete its key, and the user',
        ],
      };
    },

    apply: async (access, signal) => {
      const { config, login, name, policy } = open(access);
      const key = await withIam(login, signal, async (iam) => {
        await mustHaveBucket(login, config.bucket, signal);
        return makeUser(iam, name, access.fence, policy());
      });
      const { URL: endpoint, REGION: region } = login.settings;
      return { handle: { username: name }, credential: { endpoint, region, bucket: config.bucket, ...key } };
    },

    extend: async (access, signal) => {
      const { login, name, policy } = open(access);
      await withIam(login, signal, (iam) => prolongUser(iam, name, access.fence, policy()));
      return null;
    },

    verify: async (access, signal) => {
      const { login, name } = open(access, loginOfGiven);
      return (await withIam(login, signal, (iam) => fenceOf(iam, name))) !== undefined;
    },

    revoke: async (access, signal) => {
      const { login, name } = open(access, loginOfGiven);
      await withIam(login, signal, (iam) => removeUser(iam, name, access.fence));
    },

    list: async (site, signal) => {
      const { login: name, bucket } = readConfig(s3Config, site);
      return listBy(logins, name, site, async (login) => {
        const made = await withIam(login, signal, (iam) => listUsers(iam, bucket, site.expected));
        return [...made, ...(await othersInPolicy(login, bucket, signal))];
      });
    },

    check: async (trial, signal) => {
      const { login: name, bucket } = s3Config.parse(trial.config);
      return tryLogin(logins, name, trial, async (login) => {
        await withIam(login, signal, (iam) => fenceOf(iam, 'accessops-check'));
        const found = (await policyAt(login, bucket, signal)) !== null;
        return found ? [] : [{ pointer: '/bucket', message: 'does not exist at the target' }];
      });
    },
  };
};
