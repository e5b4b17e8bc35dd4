import { invalidField } from '@accessops/errors';

/** Text of 1 to `longest` characters that is not only spaces; answers it without spaces around it. Errors: INVALID_FIELDS at `pointer`. */
export const parseText = (pointer: string, value: string, longest: number): string => {
  const text = value.trim();
  if (text === '' || text.length > longest) throw invalidField(pointer, `must have 1 to ${longest} characters`);
  if (text.includes('\0')) throw invalidField(pointer, 'must not hold a NUL character');
  return text;
};

/** The same, or nothing. */
export const parseOptionalText = (pointer: string, value: string, longest: number): string =>
  value.trim() === '' ? '' : parseText(pointer, value, longest);

const slug = /^[a-z0-9]+(?:[-_.][a-z0-9]+)*$/;

/** A name for programs: lower-case letters and digits, joined by `-`, `_` or `.`. Errors: INVALID_FIELDS at `pointer`. */
export const parseSlug = (pointer: string, value: string): string => {
  if (value.length > 63 || !slug.test(value)) {
    throw invalidField(pointer, 'must be 1 to 63 lower-case letters and digits, which -, _ or . may join');
  }
  return value;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a string can be an id at all; the database refuses to look for others. */
export const isId = (value: string): boolean => uuid.test(value);
