import { invalidField } from '@accessops/errors';

const controlCharacter = /[\p{Cc}\p{Zl}\p{Zp}]/u;

// What is not seen, or turns around what is seen, and half a character. Joiners stay: some scripts need them.
const deceptive = /[\p{Cs}\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** Whether a text is on one line, and what it holds is what one sees. */
export const isLegible = (value: string): boolean => !controlCharacter.test(value) && !deceptive.test(value);

// Alphabets whose letters look like those of another of them, and letters that are another's in a different type face.
const lookAlikes = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u, /\p{Script=Cherokee}/u];
const typeFace = /[\u{1d400}-\u{1d7ff}]/u;

/** Whether a word is made of several alphabets, as nobody writes one who does not want it to be taken for another. */
const isDisguised = (word: string): boolean => typeFace.test(word) || lookAlikes.filter((script) => script.test(word)).length > 1;

/**
 * A name on one line, 1 to 100 characters without spaces around it, in its one spelling (NFC), so that two names that look the same are
 * compared as the same. In any script, but not in several look-alike ones within a word. Errors: INVALID_FIELDS at `pointer`.
 */
export const parseName = (pointer: string, value: string): string => {
  const name = value.trim().normalize('NFC');
  if (name === '' || name.length > 100) throw invalidField(pointer, 'must have 1 to 100 characters');
  if (controlCharacter.test(name)) throw invalidField(pointer, 'must not hold control characters');
  if (deceptive.test(name)) throw invalidField(pointer, 'must not hold invisible characters');
  if (name.match(/[\p{L}\p{M}]+/gu)?.some(isDisguised)) throw invalidField(pointer, 'must not mix alphabets within a word');
  return name;
};

/** Free text of several lines, at most 2000 characters. Errors: INVALID_FIELDS at `pointer`. */
export const parseText = (pointer: string, value: string): string => {
  if (value.length > 2000) throw invalidField(pointer, 'must have at most 2000 characters');
  if (value.includes('\0')) throw invalidField(pointer, 'must not hold a NUL character');
  return value;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a string can be an id at all; the database refuses to look for others. */
export const isId = (value: string): boolean => uuid.test(value);
