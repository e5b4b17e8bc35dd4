import { expect, test } from 'vitest';
import { configProblems, configSchema, connectorNames } from './config-problems.ts';

const postgres = { login: 'prod', roles: { reader: ['customer_reader'], writer: ['customer_writer'] } };
const offered = ['reader', 'writer'];

test('when a configuration is right, then there is nothing to say', () => {
  expect(configProblems('postgres', postgres, offered)).toEqual([]);
  expect(configProblems('postgres', { ...postgres, connectionLimit: 1 }, ['reader'])).toEqual([]);
  expect(configProblems('simulated', {}, offered)).toEqual([]);
});

test.each([
  ['nothing', {}, ['/login', '/roles']],
  ['an unknown setting', { ...postgres, passwort: 'x' }, ['/passwort']],
  ['an address instead of a login', { ...postgres, login: 'postgres://root@db' }, ['/login']],
  ['a role without meaning', { ...postgres, roles: { reader: ['r'] } }, ['/roles/writer']],
  ['no roles at the target', { ...postgres, roles: { ...postgres.roles, writer: [] } }, ['/roles/writer']],
  ['a name that PostgreSQL would cut', { ...postgres, roles: { ...postgres.roles, reader: ['é'.repeat(32)] } }, ['/roles/reader/0']],
  ['a predefined role', { ...postgres, roles: { ...postgres.roles, reader: ['pg_read_all_data'] } }, ['/roles/reader/0']],
  [
    'the role of another grant',
    { ...postgres, roles: { ...postgres.roles, reader: [`accessops_${'0'.repeat(32)}`] } },
    ['/roles/reader/0'],
  ],
  ['a role with half a character', { ...postgres, roles: { ...postgres.roles, reader: ['\udc00'] } }, ['/roles/reader/0']],
  ['no connections', { ...postgres, connectionLimit: 0 }, ['/connectionLimit']],
  ['no object at all', 7, ['']],
])('when a configuration for postgres holds %s, then that field is named', (_, config, pointers) => {
  expect(configProblems('postgres', config, offered).map(({ pointer }) => pointer)).toEqual(pointers);
});

test.each([
  ['nothing', {}, ['/login', '/url']],
  ['no address', { login: 'hr', url: 'hr' }, ['/url']],
  ['another protocol', { login: 'hr', url: 'file:///etc/passwd' }, ['/url']],
  ['a password', { login: 'hr', url: 'https://me:secret@example.com/' }, ['/url']],
  ['no time', { login: 'hr', url: 'https://example.com/', answerWithinHours: 0 }, ['/answerWithinHours']],
])('when a configuration for webhook holds %s, then that field is named', (_, config, pointers) => {
  expect(configProblems('webhook', config, offered).map(({ pointer }) => pointer)).toEqual(pointers);
});

test.each(['root,nobody', 'Root', '-oProxyCommand=x', 'a b', '', 'x'.repeat(33)])(
  'when a configuration for ssh-certificate names the account "%s", then it is refused',
  (account) => {
    const config = { login: 'web', roles: { reader: [account], writer: ['deploy'] } };
    expect(configProblems('ssh-certificate', config, offered)).toMatchObject([{ pointer: '/roles/reader/0' }]);
  },
);

test.each(['mine/*', '*', 'Mine', '../etc', 'a..b', 'ab', 'a?policy'])(
  'when a configuration for s3 names the bucket "%s", then it is refused',
  (bucket) => {
    const config = { login: 'lake', bucket, roles: { reader: 'read', writer: 'read-write' } };
    expect(configProblems('s3', config, offered)).toMatchObject([{ pointer: '/bucket' }]);
  },
);

test.each(['kube-system', 'accessops', 'accessops-1', '../a', 'A', 'a b', 'x'.repeat(64)])(
  'when a configuration for kubernetes names the namespace "%s", then it is refused',
  (namespace) => {
    const config = { login: 'main', namespace, roles: { reader: 'view', writer: 'edit' } };
    expect(configProblems('kubernetes', config, offered)).toMatchObject([{ pointer: '/namespace' }]);
  },
);

test('when a configuration for keycloak-group names something else than the id of a group, then it is refused', () => {
  const config = { login: 'realm', roles: { reader: '../users', writer: '8f0f3c1e-6f0b-4b52-9a57-0a4d3c1a7f11' } };
  expect(configProblems('keycloak-group', config, offered)).toMatchObject([{ pointer: '/roles/reader' }]);
});

test('when a role has an odd name, then the pointer is escaped', () => {
  expect(configProblems('postgres', postgres, ['a/b~c'])).toMatchObject([{ pointer: '/roles/a~1b~0c' }]);
});

test('when a role is called like a property of every object, then it is still missing', () => {
  expect(configProblems('postgres', postgres, ['constructor'])).toMatchObject([{ pointer: '/roles/constructor' }]);
});

test('when a form asks, then each connector says what it wants to know', () => {
  for (const name of connectorNames) expect(configSchema(name)).toMatchObject({ type: 'object', additionalProperties: false });
  expect(configSchema('postgres')).toMatchObject({ required: ['login', 'roles'] });
});
