import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loginFor, loginsFrom } from './logins.ts';
import { loginSettings, targetLoginsFrom } from './target-logins.ts';

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

const tenantId = '0192f0c1-7777-7b4d-8c6f-2a9d1e4b7c37';
const logins = loginsFrom(
  { CONNECTOR_POSTGRES_PROD_URL: url, CONNECTOR_POSTGRES_PROD_TENANTS: `acme,${tenantId}` },
  'POSTGRES',
  loginSettings.postgres,
);

const noLogin = 'There is no login "prod" that this organisation may use';

test.each([
  ['by its name', { tenantId: 'other', tenantSlug: 'acme' }, 'prod'],
  ['by its id, also before it has a name', { tenantId, tenantSlug: null }, 'prod'],
  ['not at all', { tenantId: 'other', tenantSlug: 'globex' }, noLogin],
  ['by the id of another, which it has taken for its name', { tenantId: 'other', tenantSlug: tenantId }, noLogin],
])('when a login names a tenant %s, then that decides', (_, tenant, answer) => {
  const ask = () => {
    try {
      return loginFor(logins, 'prod', tenant).name;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(ask()).toBe(answer);
});

test('when a login is for others, then nobody can tell it from one that there is not', () => {
  for (const tenantSlug of ['globex', null]) {
    const [theirs, none] = ['prod', 'none'].map((name) => {
      try {
        return loginFor(logins, name, { tenantId: 'other', tenantSlug });
      } catch (error) {
        return { ...(error as Error), message: (error as Error).message.replace(name, '…') };
      }
    });
    expect(theirs).toEqual(none);
  }
});
