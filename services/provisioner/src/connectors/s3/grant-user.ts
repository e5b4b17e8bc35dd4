import type { IAMClient } from '@aws-sdk/client-iam';
import { type Access, ConnectorError, nothingToExtend } from '../../connector.ts';
import { isMissing, isThere } from './explain-failure.ts';

/** The IAM interface for one call. */
export interface Iam {
  sdk: typeof import('@aws-sdk/client-iam');
  /** Sends something that only looks. */
  ask: IAMClient['send'];
  /** Sends something that changes the store. */
  change: IAMClient['send'];
}

/** The policy of a user that was made for an access. */
export const policyName = 'access';
/** Below this are the users that were made for accesses. */
export const madePath = '/accessops/';
const fenceTag = 'accessops-attempt';

/** The user of one access: made from its key alone. */
export const userNameOf = ({ key }: Pick<Access, 'key'>): string => `accessops-${key.replaceAll('-', '')}`;

/** Which attempt made the user, or was at it last; undefined when there is no such user. */
export const fenceOf = async ({ sdk, ask }: Iam, UserName: string): Promise<number | undefined> => {
  try {
    const { Tags = [] } = await ask(new sdk.ListUserTagsCommand({ UserName }));
    return Number(Tags.find(({ Key }) => Key === fenceTag)?.Value ?? 0);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

/** Passes over what is not there any more. */
const unlessMissing = (error: unknown): void => {
  if (!isMissing(error)) throw error;
};

const removeKeys = async ({ sdk, ask, change }: Iam, UserName: string): Promise<void> => {
  const { AccessKeyMetadata = [] } = await ask(new sdk.ListAccessKeysCommand({ UserName }));
  for (const { AccessKeyId } of AccessKeyMetadata) {
    await change(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId })).catch(unlessMissing);
  }
};

/** Makes the user, or takes the one that is there, with this policy and one new key. */
export const makeUser = async (iam: Iam, UserName: string, fence: number, PolicyDocument: string) => {
  const { sdk, change } = iam;
  const seen = await fenceOf(iam, UserName);
  if (seen !== undefined && seen > fence) throw new ConnectorError('failed', 'The store has heard from a later worker');
  const Tags = [{ Key: fenceTag, Value: String(fence) }];
  try {
    await change(new sdk.CreateUserCommand({ UserName, Path: madePath, Tags }));
  } catch (error) {
    if (!isThere(error)) throw error;
    await change(new sdk.TagUserCommand({ UserName, Tags }));
  }
  await change(new sdk.PutUserPolicyCommand({ UserName, PolicyName: policyName, PolicyDocument }));
  await removeKeys(iam, UserName);
  const { AccessKey } = await change(new sdk.CreateAccessKeyCommand({ UserName }));
  if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey) throw new ConnectorError('unknown', 'The store has given no key');
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
};

/** Gives the user a policy that lasts longer; its key stays. */
export const prolongUser = async (iam: Iam, UserName: string, fence: number, PolicyDocument: string): Promise<void> => {
  const { sdk, change } = iam;
  const seen = await fenceOf(iam, UserName);
  if (seen === undefined) throw nothingToExtend();
  if (seen > fence) throw new ConnectorError('failed', 'The store has heard from a later worker');
  await change(new sdk.TagUserCommand({ UserName, Tags: [{ Key: fenceTag, Value: String(fence) }] }));
  await change(new sdk.PutUserPolicyCommand({ UserName, PolicyName: policyName, PolicyDocument }));
};

/** Removes the user: first its keys, so that nobody gets in any more. */
export const removeUser = async (iam: Iam, UserName: string, fence: number): Promise<void> => {
  const { sdk, change } = iam;
  const seen = await fenceOf(iam, UserName);
  if (seen === undefined || seen > fence) return;
  await removeKeys(iam, UserName).catch(unlessMissing);
  await change(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: policyName })).catch(unlessMissing);
  await change(new sdk.DeleteUserCommand({ UserName })).catch(unlessMissing);
};
