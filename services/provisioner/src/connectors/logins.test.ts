import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { targetLoginsFrom } from './target-logins.ts';

const postgresLoginsFrom = (env: Record<string, string>) => targetLoginsFrom(env).postgres;

const url = 'postgres://accessops:s3cret@db.example.test:5432/prod';

test('when logins are configured, then each has the name that resource types use', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'logins-')), 'url');
  writeFileSync(path, `${url}\n`);
  const logins = postgresLoginsFrom({
    CONNECTOR_POSTGRES_PROD_URL: url,
    CONNECTOR_POSTGRES_PROD_TENANTS: 'acme, globex,',
    CONNECTOR_POSTGRES_DATA_LAKE_URL_FILE: path,
    PATH: '/bin',
  });
  expect(logins).toEqual(
    new Map([
      ['prod', { name: 'prod', settings: { URL: url }, tenants: new Set(['acme', 'globex']) }],
      ['data-lake', { name: 'data-lake', settings: { URL: url }, tenants: new Set() }],
    ]),
  );
});

test.each([
  ['no address', { CONNECTOR_POSTGRES_PROD_TENANTS: 'acme' }],
  ['another kind of address', { CONNECTOR_POSTGRES_PROD_URL: 'mysql://u:s3cret@h/d' }],
  ['no database', { CONNECTOR_POSTGRES_PROD_URL: 'postgres://u:s3cret@h' }],
  ['a file that is not there', { CONNECTOR_POSTGRES_PROD_URL_FILE: '/nowhere/url' }],
])('when a login has %s, then the process does not start, and says so without the secret', (_, env) => {
  expect(() => postgresLoginsFrom(env)).toThrow(/^CONNECTOR_POSTGRES_PROD_URL/);
  expect(() => postgresLoginsFrom(env)).not.toThrow(/s3cret/);
});
