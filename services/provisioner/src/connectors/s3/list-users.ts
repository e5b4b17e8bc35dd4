import type { Found } from '../../connector.ts';
import { isMissing } from './explain-failure.ts';
import { type Iam, madePath, policyName } from './grant-user.ts';

const atOnce = 8;
const madeName = /^accessops-([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** Whose access a user is, by its name. */
export const keyOf = (name: string): string | null => madeName.exec(name)?.slice(1).join('-') ?? null;

const namesBelow = async ({ sdk, ask }: Iam): Promise<string[]> => {
  const names: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await ask(new sdk.ListUsersCommand({ PathPrefix: madePath, Marker }));
    names.push(...(page.Users ?? []).flatMap(({ UserName }) => UserName ?? []));
    Marker = page.IsTruncated ? page.Marker : undefined;
  } while (Marker);
  return names;
};

const mayUse = async ({ sdk, ask }: Iam, UserName: string, bucket: string): Promise<boolean> => {
  try {
    const { PolicyDocument = '' } = await ask(new sdk.GetUserPolicyCommand({ UserName, PolicyName: policyName }));
    return decodeURIComponent(PolicyDocument).includes(`"arn:aws:s3:::${bucket}"`);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
};

const hasKey = async ({ sdk, ask }: Iam, UserName: string): Promise<boolean> => {
  try {
    return ((await ask(new sdk.ListAccessKeysCommand({ UserName }))).AccessKeyMetadata ?? []).some(({ Status }) => Status !== 'Inactive');
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
};

/** The users of the store that were made for accesses; in force with a policy for the bucket, and of those expected, with a key. */
export const listUsers = async (iam: Iam, bucket: string, expected: readonly string[]): Promise<Found[]> => {
  const names = await namesBelow(iam);
  const wanted = new Set(expected);
  const found: Found[] = [];
  for (let at = 0; at < names.length; at += atOnce) {
    const looks = names.slice(at, at + atOnce).map(async (name): Promise<Found[]> => {
      const key = keyOf(name);
      if (key === null) return [];
      const inForce = (await mayUse(iam, name, bucket)) && (!wanted.has(key) || (await hasKey(iam, name)));
      return [{ key, name, kind: 'user', inForce }];
    });
    found.push(...(await Promise.all(looks)).flat());
  }
  return found;
};
