import { expect, test } from 'vitest';
import { breachesOf } from './import-rules.ts';

const services = ['identity', 'audit'];
const breaches = (file: string, text: string) => breachesOf(file, text, services);

test.each([
  ['services/audit/src/x.ts', `import { a } from '@accessops/identity';`, 'a service imports no other service'],
  ['services/audit/src/x.ts', `export * from "../../identity/src/app.ts";`, 'a service imports no other service'],
  ['gateway/src/x.ts', `const a = await import('@accessops/identity');`, 'the gateway imports no service'],
  ['packages/db/src/x.ts', `import '@accessops/audit';`, 'packages import no service'],
  ['packages/db/src/x.ts', `import type { A } from '../../../gateway/src/app.ts';`, 'nothing below imports the gateway'],
  ['services/audit/src/config.ts', 'const url = process.env.DATABASE_URL;', 'only main.ts reads process.env'],
])('when %s holds %s, then %s', (file, text, rule) => {
  expect(breaches(file, text)).toEqual([expect.stringContaining(rule)]);
});

test('when a part imports packages and itself, and main.ts reads the environment, then all is well', () => {
  const text = `import { a } from '@accessops/db'; import b from './b.ts'; import { c } from '@accessops/audit';`;
  expect(breaches('services/audit/src/x.ts', text)).toEqual([]);
  expect(breaches('services/audit/main.ts', 'start(process.env)')).toEqual([]);
});

test('when a test starts a real neighbour, then all is well', () => {
  expect(breaches('services/audit/test/x.test.ts', `import { a } from '../../identity/src/app.ts';`)).toEqual([]);
});
