import { expect, test } from 'vitest';
import { changesBetween } from './changes.ts';
import { normalizeEmail } from './email.ts';
import { parseOrgRoles } from './org-role.ts';
import { parseSlug } from './slug.ts';

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

test('when an address is made to be slow, then the answer still takes next to nothing', () => {
  // What this thread has computed: on a busy machine hours may pass meanwhile.
  const before = process.threadCpuUsage();
  expect(normalizeEmail(`${'a.'.repeat(100)}!`)).toBeUndefined();
  expect(normalizeEmail(`a@${'a-'.repeat(120)}`)).toBeUndefined();
  expect(process.threadCpuUsage(before).user).toBeLessThan(2_000_000);
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

test('when a slug could be the id of another organisation, then it is refused', () => {
  const slug = '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39';
  expect(() => parseSlug(slug)).toThrow(
    expect.objectContaining({ fields: [{ pointer: '/organization/slug', message: 'must not look like an id' }] }),
  );
  expect(parseSlug(`${slug}-2`.slice(1))).toBe('192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39-2');
});

test('when nothing differs, then there are no changes', () => {
  expect(changesBetween({ a: 1, b: ['x'] }, { a: 1, b: ['x'] })).toEqual({});
  expect(changesBetween({ a: 1, b: ['x'] }, { a: 2, b: ['x'] })).toEqual({ a: { before: 1, after: 2 } });
});
