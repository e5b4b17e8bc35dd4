import { invalidField } from '@accessops/errors';

/** Free text of several lines, at most 2000 characters. Errors: INVALID_FIELDS at `pointer`. */
export const parseText = (pointer: string, value: string): string => {
  if (value.length > 2000) throw invalidField(pointer, 'must have at most 2000 characters');
  if (value.includes('\0')) throw invalidField(pointer, 'must not hold a NUL character');
  return value;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a string can be an id at all; the database refuses to look for others. */
export const isId = (value: string): boolean => uuid.test(value);
