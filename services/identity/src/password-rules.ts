import { AppError } from '@accessops/errors';
import { commonPasswords, commonWords } from './common-passwords.ts';

const weak = (message: string): AppError => new AppError('PASSWORD_TOO_WEAK', message, { fields: [{ pointer: '/password', message }] });

const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
  'qwertyuiop[]',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl;',
  'zxcvbnm,./',
  '1qaz2wsx3edc4rfv',
];
const allRuns = runs.flatMap((run) => [run, [...run].reverse().join('')]);

/** Each character follows the one before on the keyboard or in the alphabet, wherever the password starts, round and round. */
const isRun = (lower: string): boolean => allRuns.some((run) => run.repeat(Math.ceil(lower.length / run.length) + 1).includes(lower));

const isRepetition = (lower: string): boolean => /^(.{1,8})\1+$/su.test(lower) || new Set(lower).size < 4;

const leet: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' };

/** What is left of `P@ssw0rd-2026!!`: `password`. */
const wordIn = (lower: string): string =>
  [...lower.replace(/^[^\p{L}@$]+|[^\p{L}]+$/gu, '')]
    .map((character) => leet[character] ?? character)
    .join('')
    .replace(/[^\p{L}]/gu, '');

const isCommon = (lower: string): boolean =>
  commonPasswords.has(lower) || commonPasswords.has(lower.replace(/[\s._-]/g, '')) || commonWords.has(wordIn(lower));

/** Little is left when the person's own address is taken out. */
const isOwnAddress = (lower: string, email: string): boolean => {
  const [local = '', domain = ''] = email.split('@');
  return [local, domain].some((part) => part.length >= 3 && lower.includes(part) && lower.replaceAll(part, '').length < 8);
};

/**
 * Refuses a password of fewer than 12 (or `minLength`) or more than 128 characters and one that is easy to guess: a common one, a run or repetition, a
 * common word with digits and signs around or in place of letters, the own address with little else. No rules of composition
 * (NIST SP 800-63B-4, 3.1.1.2). Errors: PASSWORD_TOO_WEAK at `/password`.
 */
export const checkPassword = (password: string, email: string, minLength = 12): void => {
  const length = [...password].length;
  if (length < minLength) throw weak(`must have at least ${minLength} characters`);
  if (length > 128) throw weak('must have at most 128 characters');
  const lower = password.toLowerCase();
  if (isCommon(lower) || isRun(lower) || isRepetition(lower)) throw weak('is too common');
  if (isOwnAddress(lower, email)) throw weak('must not be made of the e-mail address');
};
