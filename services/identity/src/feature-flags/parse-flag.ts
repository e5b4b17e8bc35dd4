import { invalidField } from '@accessops/errors';
import { flagName } from '../settings/registry.ts';
import { parseText } from '../text.ts';

export interface FlagFields {
  name: string;
  description: string;
  enabled: boolean;
}

/** What a feature flag is made of. Errors: INVALID_FIELDS. */
export const parseFlag = ({ name, description, enabled }: FlagFields): FlagFields => {
  const { success, error } = flagName.safeParse(name);
  if (!success) throw invalidField('/name', error.issues[0]?.message ?? 'is not a name');
  return { name, description: parseText('/description', description), enabled };
};
