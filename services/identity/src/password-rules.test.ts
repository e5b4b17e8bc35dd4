import { AppError } from '@accessops/errors';
import { expect, test } from 'vitest';
import { checkPassword } from './password-rules.ts';

const email = 'alice.jones@example.test';

const refused = (password: string): boolean => {
  try {
    checkPassword(password, email);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('PASSWORD_TOO_WEAK');
    expect((error as AppError).fields.map(({ pointer }) => pointer)).toEqual(['/password']);
    return true;
  }
};

test('when a password has fewer than 12 or more than 128 characters, then it is refused', () => {
  expect(refused('tRw4-kjq9-x')).toBe(true);
  expect(refused('tRw4-kjq9-xz')).toBe(false);
  const long = 'correct lamp under seven bridges '.repeat(4).slice(0, 128);
  expect(refused(long)).toBe(false);
  expect(refused(`${long}x`)).toBe(true);
});

test('when characters lie beyond the basic plane, then each counts once', () => {
  expect(refused('🐢🦉🐝🦋🐌🐞🐜🦗🦂🐍🦎')).toBe(true);
  expect(refused('🐢🦉🐝🦋🐌🐞🐜🦗🦂🐍🦎🦖')).toBe(false);
});

test.each([
  ['passwordpassword'],
  ['Password-2026'],
  ['P@ssw0rd12345'],
  ['!!Welcome2026!!'],
  ['administrator'],
  ['123456789012'],
  ['987654321098'],
  ['abcdefghijkl'],
  ['qwertyuiop[]'],
  ['1qaz2wsx3edc'],
  ['aaaaaaaaaaaa'],
  ['abababababab'],
  ['abc123abc123'],
  ['q1w2-e3r4-t5y6'],
  ['correct horse battery staple'],
  ['AccessOps2026!'],
])('when a password is as common as %s, then it is refused', (password) => {
  expect(refused(password)).toBe(true);
});

test.each([['alice.jones'.padEnd(12, '1')], ['Alice.Jones-2026'], ['example.test12']])(
  'when a password is little more than the own address like %s, then it is refused',
  (password) => {
    expect(refused(password)).toBe(true);
  },
);

test.each([
  ['accessops-demo-2026'],
  ['Orchard-3f9a1c77be20d4aa51'],
  ['tractor paints eleven moons'],
  ['alice.jones has a green turtle'],
  ['password manager chose this'],
])('when a password is like %s, then it is taken: there are no rules of composition', (password) => {
  expect(refused(password)).toBe(false);
});
