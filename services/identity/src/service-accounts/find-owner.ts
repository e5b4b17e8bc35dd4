import { invalidField } from '@accessops/errors';
import { isId } from '../text.ts';
import type { User } from '../user.ts';

/** The id of a person as rows have it, to be locked with the others; nothing for what is no id. */
export const ownerIds = (id: string | undefined): string[] => (id !== undefined && isId(id) ? [id.toLowerCase()] : []);

/** The person that an account is handed to, out of those locked. Errors: INVALID_FIELDS at /ownerId. */
export const findOwner = (people: User[], id: string): User => {
  const owner = people.find((person) => person.id === id.toLowerCase());
  if (!owner?.active) throw invalidField('/ownerId', 'must be an active user of the organisation');
  return owner;
};
