import { expect, test } from 'vitest';
import { changesBetween } from './changes.ts';
import { normalizeEmail } from './email.ts';
import { parseOrgRoles } from './org-role.ts';
import { parseSlug } from './slug.ts';
import { parseName } from './text.ts';

test.each([
  ['Ada.Lovelace+x@Example.TEST', 'ada.lovelace+x@example.test'],
  ["o'brien@sub.example.test", "o'brien@sub.example.test"],
  ['ada@example', undefined],
  ['ada', undefined],
  ['@example.test', undefined],
  ['ada@', undefined],
  ['.ada@example.test', undefined],
  ['ada..l@example.test', undefined],
  ['ada@-example.test', undefined],
  ['ada@example..test', undefined],
  ['ada@example.test ', undefined],
  ['ada\n@example.test', undefined],
  ['ada@ex\u0430mple.test', undefined],
  [`${'a'.repeat(65)}@example.test`, undefined],
  [`ada@${'a.'.repeat(126)}test`, undefined],
])('when the address is %j, then its one spelling is %j', (value, email) => {
  expect(normalizeEmail(value)).toBe(email);
});

test('when an address is made to be slow, then the answer still comes at once', () => {
  const startedAt = performance.now();
  expect(normalizeEmail(`${'a.'.repeat(100)}!`)).toBeUndefined();
  expect(normalizeEmail(`a@${'a-'.repeat(120)}`)).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(200);
});

test('when roles come twice or in another order, then each is held once in a fixed order', () => {
  expect(parseOrgRoles(['auditor', 'admin', 'auditor'])).toEqual(['admin', 'auditor']);
  expect(parseOrgRoles([])).toEqual([]);
});

test('when roles are unknown, then each of them is named', () => {
  expect(() => parseOrgRoles(['admin', 'owner', 'platform-admin'])).toThrow(
    expect.objectContaining({
      fields: [expect.objectContaining({ pointer: '/orgRoles/1' }), expect.objectContaining({ pointer: '/orgRoles/2' })],
    }),
  );
});

test('when a slug has hyphens at its ends or is reserved, then it is refused', () => {
  for (const slug of ['-acme', 'acme-', 'ab', 'api', '__proto__', 'ac me']) expect(() => parseSlug(slug)).toThrow();
  for (const slug of ['acme', 'a-1', '123', 'x'.repeat(40)]) expect(parseSlug(slug)).toBe(slug);
});

test('when a name has spaces around it, then they go', () => {
  expect(parseName('/firstName', '  Ada ')).toBe('Ada');
});

test('when a name is spelled with other code points, then it is the same', () => {
  expect(parseName('/name', 'Zoe\u0308')).toBe('Zo\u00eb');
});

test.each([
  'ad\u202emin',
  'ad\u200bmin',
  'ad\ufeffmin',
  'ad\u2066min',
  'ad\u00admin',
  'a\ud800',
  'line\u2028line',
  'a\u0007b',
  ' ',
  'x'.repeat(101),
  // Cyrillic, Greek, Armenian and mathematical letters between Latin ones.
  '\u0430dmin',
  'Team P\u0430ypal',
  'C\u03bfmpany',
  'ad\u0574in',
  '\u{1d41a}dmin',
])('when the name is %j, then it is refused', (name) => {
  expect(() => parseName('/name', name)).toThrow(expect.objectContaining({ code: 'INVALID_FIELDS' }));
});

test('when a name needs a joiner or another script, then it may be', () => {
  for (const name of [
    '\u0410\u043d\u043d\u0430 Smith',
    '\u03b2-team',
    'Acme \u682a\u5f0f\u4f1a\u793e',
    '\u0646\u0627\u0645\u0647\u200c\u0627\u06cc',
    '\u674e\u5c0f\u9f99',
    "O'Brien-\u0141uczak",
  ])
    expect(parseName('/name', name)).toBe(name);
});

test('when nothing differs, then there are no changes', () => {
  expect(changesBetween({ a: 1, b: ['x'] }, { a: 1, b: ['x'] })).toEqual({});
  expect(changesBetween({ a: 1, b: ['x'] }, { a: 2, b: ['x'] })).toEqual({ a: { before: 1, after: 2 } });
});
