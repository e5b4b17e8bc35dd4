import { type Authorizer, givable } from '@accessops/authz';
import { AppError, invalidField } from '@accessops/errors';

const shape = /^[a-z_]{1,63}:[a-z_]{1,63}$/;
const atMost = 200;

export interface AskedPermissions {
  /** Of the field that they stand in. */
  pointer: string;
  permissions: string[];
  whom: 'toRoles' | 'toServiceAccounts';
}

/** Permissions that can be given, sorted and each once. Errors: INVALID_FIELDS, naming each that is none or cannot be given to them. */
export const parsePermissions = async (authorizer: Authorizer, { pointer, permissions, whom }: AskedPermissions): Promise<string[]> => {
  if (permissions.length > atMost) throw invalidField(pointer, `must have at most ${atMost} items`);
  const asked = [...new Set(permissions.filter((permission) => shape.test(permission)))].sort();
  const answers = await givable(authorizer, asked);
  const good = new Set(asked.filter((_, index) => answers[index]?.[whom]));
  const fields = permissions.flatMap((permission, index) =>
    good.has(permission) ? [] : [{ pointer: `${pointer}/${index}`, message: 'is not a permission that can be given here' }],
  );
  if (fields.length > 0) throw new AppError('INVALID_FIELDS', undefined, { fields });
  return asked;
};
