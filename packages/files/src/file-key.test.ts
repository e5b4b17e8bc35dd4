import { expect, test } from 'vitest';
import { pathOf } from './file-key.ts';

const tenantId = '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c35';

test('when a file is named, then it lies below its tenant', () => {
  expect(pathOf({ tenantId, name: 'reports/a-1.csv' })).toBe(`${tenantId}/reports/a-1.csv`);
});

test.each([
  '',
  '.',
  '..',
  '../x',
  'a/../b',
  '/etc/passwd',
  'a//b',
  'a/',
  '.hidden',
  'a/.part',
  'a\\b',
  'a\0b',
  'a\nb',
  'ä',
  'x'.repeat(101),
])('when a name could lead elsewhere (%j), then it is refused', (name) => {
  expect(() => pathOf({ tenantId, name })).toThrow('no name');
});

test.each(['', '..', '*', 'x', `${tenantId}/..`, tenantId.toUpperCase()])('when the tenant is none (%j), then it is refused', (other) => {
  expect(() => pathOf({ tenantId: other, name: 'a' })).toThrow('no name');
});
