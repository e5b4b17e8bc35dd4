import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../src/connector.ts';
import { createPostgresConnector } from '../src/connectors/postgres/postgres.ts';
import { newAccess } from './access.ts';
import { patient } from './patient.ts';
import { startSuite } from './suite.ts';
import { createTargetDatabase, logIn, type TargetDatabase } from './target.ts';

const never = new AbortController().signal;

let target: TargetDatabase;
let impatient: Connector;
let connector: Connector;
beforeAll(async () => {
  target = await createTargetDatabase();
  const tenants = new Set(['acme']);
  const login = (name: string, URL: string) => [name, { name, settings: { URL }, tenants }] as const;
  impatient = createPostgresConnector(
    new Map([
      login('prod', target.url()),
      login('wrong-password', target.url().replace('hands@', 'feet@')),
      login('nowhere', 'postgres://u:p@127.0.0.1:1/db'),
    ]),
  );
  connector = patient(impatient);
});
afterAll(async () => {
  await connector.close?.();
  await target.drop();
});

const config = () => ({ login: 'prod', roles: { reader: [target.roles.reader], writer: [target.roles.writer] } });
const access = (partial: Partial<Access> = {}): Access =>
  newAccess({ resourceKey: 'prod-db', role: 'reader', config: config(), ...partial });
const end = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, never);
const roleOf = async ({ key }: Access) =>
  (await target.sql.query('select * from pg_roles where rolname = $1', [`accessops_${key.replaceAll('-', '')}`])).rows[0];
const heirOf = ({ key }: Access) => `accessops_heir_${key.replaceAll('-', '')}`;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error) => error.code,
  );

test('when access is made, then its credential logs in, and can do what the role can and nothing more', async () => {
  const wanted = access();
  const { credential, handle } = await connector.apply(wanted, never);
  expect(credential).toEqual({
    host: '127.0.0.1',
    port: target.port,
    database: target.name,
    username: handle.username,
    password: expect.stringMatching(/^[\w-]{32}$/),
  });
  const client = await logIn(credential);
  try {
    await client.query('select * from customer');
    const attempts = [
      `insert into customer (name) values ('x')`,
      'create table public.mine (id int)',
      'select * from accessops.access',
      `create role another`,
      `set role "${target.loginName}"`,
      `alter role "${handle.username}" valid until 'infinity'`,
      `alter role "${handle.username}" connection limit 100`,
      'create temp table t (x int)',
      `copy (select 1) to program 'true'`,
    ];
    for (const sql of attempts) expect([sql, await codeOf(client.query(sql))]).toEqual([sql, '42501']);
  } finally {
    await client.end();
  }
  expect(await roleOf(wanted)).toMatchObject({ rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolconnlimit: 5 });
  await end(wanted);
});

test('when access is made, then it ends by itself at the target too, by the clock there', async () => {
  const wanted = access({ durationMs: 1000 });
  const { credential } = await connector.apply(wanted, never);
  await until(async () => (await codeOf(logIn(credential).then((client) => client.end()))) === '28P01');
  await end(wanted);
});

test('when access is extended, then its password and its sessions go on beyond the first end, and logins end after the second', async () => {
  const wanted = access();
  const { credential } = await connector.apply(wanted, never);
  const session = await logIn(credential);
  // What ends soon, and what lasts, is a matter of which extension was the last: nothing has to be done within seconds.
  const extend = (fence: number, durationMs: number) => connector.extend?.({ ...wanted, fence, durationMs }, never);
  expect(await extend(2, 1500)).toBeNull();
  const first = (await roleOf(wanted)).rolvaliduntil as Date;
  expect(await extend(3, 3_600_000)).toBeNull();
  await until(async () => (await target.sql.query('select clock_timestamp() > $1 as over', [first])).rows[0].over);
  await (await logIn(credential)).end();
  expect((await session.query('select 1')).rowCount).toBe(1);
  await expect(connector.apply(wanted, never)).rejects.toMatchObject({ kind: 'failed' });
  expect(await extend(4, 1000)).toBeNull();
  await until(async () => (await codeOf(logIn(credential).then((client) => client.end()))) === '28P01');
  await session.end();
  await end(wanted);
  await expect(extend(5, 1000)).rejects.toMatchObject({ kind: 'failed' });
});

test('when the role was dropped behind our back, then there is nothing to extend', async () => {
  const wanted = access();
  await expect(connector.extend?.(wanted, never)).rejects.toMatchObject({ kind: 'refused' });
  expect(await roleOf(wanted)).toBeUndefined();
});

test('when nobody may open more sessions than allowed, then one more is refused', async () => {
  const wanted = access({ config: { ...config(), connectionLimit: 1 } });
  const { credential } = await connector.apply(wanted, never);
  const first = await logIn(credential);
  expect(await codeOf(logIn(credential))).toBe('53300');
  await first.end();
  await end(wanted);
});

test('when it is applied twice under one key, then there is one role, and the later credential counts', async () => {
  const wanted = access();
  const first = await connector.apply(wanted, never);
  const second = await connector.apply({ ...wanted, attempt: 2, fence: 2 }, never);
  expect(second.handle).toEqual(first.handle);
  expect(await codeOf(logIn(first.credential))).toBe('28P01');
  await (await logIn(second.credential)).end();
  await end(wanted);
});

test('when access ends, then the role and its sessions are gone, and what it owned stays with another owner', async () => {
  const wanted = access({ role: 'writer' });
  const { credential } = await connector.apply(wanted, never);
  const [idle, busy] = await Promise.all([logIn(credential), logIn(credential)]);
  await idle.query('create table work.notes as select 1 as x');
  await idle.query(`create function work.f() returns int language sql as 'select 1'`);
  await idle.query('begin; lock table work.notes');
  const sleeping = codeOf(busy.query('select pg_sleep(60)'));
  expect(await connector.verify(wanted, never)).toBe(true);
  await end(wanted);
  expect(await sleeping).toBe('57P01');
  expect(await codeOf(logIn(credential))).toBe('28P01');
  expect(await roleOf(wanted)).toBeUndefined();
  expect(await connector.verify(wanted, never)).toBe(false);
  const { rows } = await target.sql.query(
    `select tableowner as owner from pg_tables where schemaname = 'work' and tablename = 'notes' union all
     select pg_get_userbyid(proowner) from pg_proc where pronamespace = 'work'::regnamespace and proname = 'f'`,
  );
  expect(rows).toEqual([{ owner: heirOf(wanted) }, { owner: heirOf(wanted) }]);
  await end(wanted);
});

test('when a holder leaves code behind that runs with the rights of its owner, then nobody gets any by it after the end', async () => {
  const [first, second, third] = [access({ role: 'writer' }), access({ role: 'writer' }), access({ role: 'writer' })];
  // As in the schema `public`: else an heir cannot even use what it owns.
  await target.sql.query('grant usage on schema work to public');
  const [leaver, keeper] = [await connector.apply(first, never), await connector.apply(second, never)];
  const leaving = await logIn(leaver.credential);
  await leaving.query(
    `create function work.run(s text) returns void language plpgsql security definer as $$ begin execute s; end $$;
     create table work.shared as select 1 as x`,
  );
  const keeping = await logIn(keeper.credential);
  await keeping.query('create table work.kept as select * from customer');
  await leaving.query('create view work.peephole as select * from work.kept; grant select on work.peephole to public');
  await Promise.all([leaving.end(), keeping.end()]);
  await Promise.all([end(first), end(second)]);
  const { credential } = await connector.apply(third, never);
  const client = await logIn(credential);
  try {
    const run = (sql: string) => codeOf(client.query('select work.run($1)', [sql]));
    expect(await run('select * from work.shared')).toBe('ok');
    const attempts = [
      `create role evil login`,
      `grant "${target.roles.writer}" to "${credential.username}" with admin true`,
      `update accessops.access set fence = 0`,
      `insert into customer (name) values ('x')`,
      `set role "${target.loginName}"`,
      `set role "${heirOf(second)}"`,
      'select * from work.kept',
      'create table work.more (x int)',
    ];
    for (const sql of attempts) expect([sql, await run(sql)]).toEqual([sql, expect.stringMatching('42501|0P000')]);
    expect(await codeOf(client.query('select * from work.peephole'))).toBe('42501');
  } finally {
    await client.end();
  }
  await end(third);
  const { rows } = await target.sql.query(
    `select * from pg_auth_members where member = $1::regrole or (roleid = $1::regrole and (inherit_option or set_option))`,
    [heirOf(first)],
  );
  expect(rows).toEqual([]);
  expect(await target.sql.query('select from pg_roles where rolname = $1', [heirOf(third)])).toMatchObject({ rowCount: 0 });
});

test('when the login owns what former holders have made, then a check says so, until it is passed on as the documents say', async () => {
  const login = `"${target.loginName}"`;
  const check = () => connector.check({ tenantId: newId(), tenantSlug: 'acme', config: config(), roles: ['reader'] }, never);
  await target.sql.query(`create function work.old() returns int language sql as 'select 1'; alter function work.old() owner to ${login}`);
  expect(await check()).toEqual([{ pointer: '/login', message: expect.stringContaining('owns more than the schema') }]);
  const heir = `former_${target.name}`;
  await target.sql.query(
    `create role ${heir} nologin; reassign owned by ${login} to ${heir};
     alter schema accessops owner to ${login}; alter table accessops.access owner to ${login}`,
  );
  expect(await check()).toEqual([]);
  const wanted = access();
  await connector.apply(wanted, never);
  await end(wanted);
  await target.sql.query(`drop owned by ${heir}; drop role ${heir}`);
});

test('when the role owns something where it cannot be passed on, then nobody gets in or has anything by it, and the access counts as there', async () => {
  const wanted = access({ role: 'writer' });
  const { credential } = await connector.apply(wanted, never);
  const other = await createTargetDatabase();
  const client = await logIn(credential);
  try {
    await other.sql.query(`create table kept (id int); alter table kept owner to "${credential.username}"`);
    await expect(end(wanted)).rejects.toThrow(/cannot be dropped/);
    expect(await codeOf(client.query('select 1'))).not.toBe('ok');
    expect(await codeOf(logIn(credential))).toMatch(/^28/);
    expect(await connector.verify(wanted, never)).toBe(true);
    const { rows } = await target.sql.query(
      `select has_table_privilege($1, 'public.customer', 'select') as read, has_schema_privilege($1, 'work', 'create') as make`,
      [credential.username],
    );
    expect(rows).toEqual([{ read: false, make: false }]);
    await other.sql.query('drop table kept');
    await end(wanted);
    expect(await connector.verify(wanted, never)).toBe(false);
  } finally {
    await other.drop();
  }
});

test('when access was taken away for good, then nothing under its key brings it back, nor does a late worker take it', async () => {
  const wanted = access();
  await connector.apply({ ...wanted, fence: 2 }, never);
  await expect(connector.apply(wanted, never)).rejects.toMatchObject({ kind: 'failed' });
  await connector.revoke(wanted, never);
  expect(await roleOf(wanted)).toMatchObject({ rolcanlogin: true });
  await end(wanted);
  await expect(connector.apply({ ...wanted, fence: 7 }, never)).rejects.toMatchObject({ kind: 'failed' });
  expect(await connector.verify(wanted, never)).toBe(false);
});

test('when several apply and revoke at once, then after the end nothing is there', async () => {
  const wanted = access();
  const calls = [1, 2, 3].flatMap((fence) => [connector.apply({ ...wanted, fence }, never), connector.revoke({ ...wanted, fence }, never)]);
  await Promise.allSettled([...calls, end(wanted)]);
  await end(wanted);
  expect(await connector.verify(wanted, never)).toBe(false);
});

test.each([
  ['a role that is not there', (c: object) => ({ ...c, roles: { reader: [`nobody'; drop table customer; --`] } }), /does not exist/],
  ['a role that the login may not hand on', (c: object) => ({ ...c, roles: { reader: ['postgres'] } }), /permission denied|superuser/i],
  ['a role of another name', (c: object) => ({ ...c, roles: { writer: ['x'] } }), /"reader"/],
  ['a login that there is not', (c: object) => ({ ...c, login: 'other' }), /no login "other"/],
  ['a wrong password', (c: object) => ({ ...c, login: 'wrong-password' }), /does not accept the login/],
  ['no login', (c: object) => ({ ...c, login: '' }), /configuration is wrong at login/],
])('when the configuration names %s, then the target refuses and nothing is there', async (_, change, message) => {
  const wanted = access({ config: change(config()) });
  await expect(connector.apply(wanted, never)).rejects.toMatchObject({ kind: 'refused', message: expect.stringMatching(message) });
  expect(await roleOf(wanted)).toBeUndefined();
});

test('when nobody answers at the address, then the attempt has failed and another may do better', async () => {
  await expect(impatient.apply(access({ config: { ...config(), login: 'nowhere' } }), never)).rejects.toMatchObject({ kind: 'failed' });
});

test('when the login is for other tenants, then it is refused; while the tenant has no name yet, it is tried again', async () => {
  await expect(connector.apply(access({ tenantSlug: 'globex' }), never)).rejects.toMatchObject({ kind: 'refused' });
  await expect(connector.apply(access({ tenantSlug: null }), never)).rejects.toMatchObject({ kind: 'failed' });
});

test('when the login is no longer for the tenant, then what it was given is found and taken away, and nothing else is told or made', async () => {
  const login = { name: 'prod', settings: { URL: target.url() }, tenants: new Set<string>() };
  const later = createPostgresConnector(new Map([['prod', login]]));
  const other = `other_${target.name}`;
  await target.sql.query(`create role ${other} login; grant "${target.roles.reader.replaceAll('"', '""')}" to ${other}`);
  const wanted = access();
  const { handle } = await connector.apply(wanted, never);
  const site = { ...wanted, expected: [wanted.key] };
  const names = async (of: Connector) => (await of.list?.(site, never))?.map(({ name }) => name);
  expect(await names(connector)).toContain(other);
  expect(await names(later)).toContain(handle.username);
  expect(await names(later)).not.toContain(other);
  const refused = { kind: 'refused', message: 'There is no login "prod" that this organisation may use' };
  for (const call of [later.plan, later.apply, later.verify, later.revoke])
    await expect(call(wanted, never)).rejects.toMatchObject(refused);
  const given = { ...wanted, given: true, fence: finalFence };
  await expect(later.apply(given, never)).rejects.toMatchObject(refused);
  expect(await later.verify(given, never)).toBe(true);
  await later.revoke(given, never);
  expect(await later.verify(given, never)).toBe(false);
  await target.sql.query(`drop role ${other}`);
  await later.close?.();
});

test('when a tenant is taken out of those that may use a login, then its access ends all the same', async () => {
  const suite = await startSuite({ instances: 0 });
  try {
    const start = (tenants: string) =>
      suite.start(undefined, { CONNECTOR_POSTGRES_PROD_URL: target.url(), CONNECTOR_POSTGRES_PROD_TENANTS: tenants });
    await start(suite.tenantId);
    const requestId = await suite.approve({ connector: 'postgres', config: config() });
    await suite.grantIs(requestId, ['ACTIVE']);
    await suite.stopAll();
    await start('globex');
    await suite.withdraw(requestId);
    expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'WITHDRAWN' });
  } finally {
    await suite.close();
  }
});

test('when a connection is checked, then what somebody has to put right is named', async () => {
  const check = (change: object, tenantSlug = 'acme') =>
    connector.check({ tenantId: newId(), tenantSlug, config: { ...config(), ...change }, roles: ['reader'] }, never);
  expect(await check({})).toEqual([]);
  const no = { pointer: '/login', message: 'is no login that this organisation may use' };
  expect(await check({}, 'globex')).toEqual([no]);
  expect(await check({ login: 'other' })).toEqual([no]);
  expect(await check({ login: 'nowhere' })).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/cannot be reached/) }]);
  expect(await check({ login: 'wrong-password' })).toMatchObject([{ message: expect.stringMatching(/does not accept/) }]);
  expect(await check({ roles: { reader: ['nobody', 'postgres', target.loginName] } })).toEqual([
    { pointer: '/roles/reader/0', message: 'does not exist at the target' },
    { pointer: '/roles/reader/1', message: 'is a superuser' },
    { pointer: '/roles/reader/2', message: expect.stringMatching(/ADMIN OPTION/) },
  ]);
});

test('when an approver asks what will change, then it is said in words, without touching the target', async () => {
  const { steps } = await connector.plan(access({ config: config() }), never);
  expect(steps.join('\n')).toContain(target.roles.reader);
  expect(steps.join('\n')).toContain(target.name);
});
