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
 * A name on one line, 1 to `longest` characters without spaces around it, in its one spelling (NFC), so that two names that look the same are
 * compared as the same. In any script, but not in several look-alike ones within a word. Errors: INVALID_FIELDS at `pointer`.
 */
export const parseName = (pointer: string, value: string, longest = 100): string => {
  const name = value.trim().normalize('NFC');
  if (name === '' || name.length > longest) throw invalidField(pointer, `must have 1 to ${longest} characters`);
  if (controlCharacter.test(name)) throw invalidField(pointer, 'must not hold control characters');
  if (deceptive.test(name)) throw invalidField(pointer, 'must not hold invisible characters');
  if (name.match(/[\p{L}\p{M}]+/gu)?.some(isDisguised)) throw invalidField(pointer, 'must not mix alphabets within a word');
  return name;
};
