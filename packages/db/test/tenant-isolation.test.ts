import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServiceSchema, IdempotentReply, newId, poolOf, scoped, transaction } from '../src/index.ts';
import { Grouping, Item, namesSeenBy, openClient, type Suite, startSuite } from './suite.ts';

let suite: Suite;
let app: pg.Client;
const [acme, globex] = [newId(), newId()];
let foreign: string;
beforeAll(async () => {
  suite = await startSuite();
  await suite.insert(acme, { name: 'a1' }, { name: 'a2' });
  [foreign = ''] = await suite.insert(globex, { name: 'g1' });
  app = await openClient(suite.appUrl);
});
afterAll(async () => {
  await app.end();
  await suite.close();
});

describe('a transaction', () => {
  test('when it is of a tenant, then it sees the rows of that tenant though its query names none', async () => {
    expect(await transaction(suite.orm.em, { tenantId: acme }, namesSeenBy)).toEqual(['a1', 'a2']);
    expect(await transaction(suite.orm.em, { tenantId: globex }, namesSeenBy)).toEqual(['g1']);
    expect(await transaction(suite.orm.em, { tenantId: newId() }, namesSeenBy)).toEqual([]);
  });

  test('when a query removes the condition or asks for the foreign tenant, then still no foreign row is seen', async () => {
    const seen = await transaction(suite.orm.em, { tenantId: acme }, async (em) => [
      await em.find(Item, { tenantId: globex }),
      await em.find(Item, { $or: [{ tenantId: acme }, { tenantId: globex }], name: 'g1' }),
      await em
        .execute('select * from item where tenant_id = ? or true', [globex])
        .then((rows) => rows.filter((row) => row.tenant_id !== acme)),
      await em.execute('select * from item a, item b where a.tenant_id <> b.tenant_id'),
    ]);
    expect(seen).toEqual([[], [], [], []]);
  });

  test('when it has no tenant, then it sees no row and writes none', async () => {
    for (const table of ['item', 'grouping', 'outbox_event', 'dead_letter', 'idempotent_reply']) {
      expect((await app.query(`select * from ${table}`)).rows).toEqual([]);
    }
    expect((await app.query(`update item set name = 'taken'`)).rowCount).toBe(0);
    expect((await app.query('delete from item')).rowCount).toBe(0);
    const insert = `insert into item (id, tenant_id, name, size, active, tags, created_at) values ($1, $2, 'x', 0, true, '{}', now())`;
    await expect(app.query(insert, [newId(), acme])).rejects.toMatchObject({ code: '42501' });
    expect(await suite.orm.em.fork().find(Item, {})).toEqual([]);
  });

  test('when it is of a tenant, then it changes, removes and adds nothing in another', async () => {
    const { orm } = suite;
    const changed = await transaction(orm.em, { tenantId: acme }, async (em) => [
      await em.nativeUpdate(Item, { id: foreign }, { name: 'taken' }),
      await em.nativeDelete(Item, { id: foreign }),
    ]);
    expect(changed).toEqual([0, 0]);
    const moving = transaction(orm.em, { tenantId: acme }, (em) => em.nativeUpdate(Item, { name: 'a1' }, { tenantId: globex }));
    await expect(moving).rejects.toMatchObject({ code: '42501' });
    expect(await transaction(orm.em, { tenantId: globex }, namesSeenBy)).toEqual(['g1']);
  });

  test('when one has ended, then the next on the same connection knows nothing of its tenant', async () => {
    const one = await suite.open({ poolSize: 1 });
    expect(await transaction(one.em, { tenantId: acme }, namesSeenBy)).toHaveLength(2);
    expect((await (await poolOf(one)).query('select * from item')).rows).toEqual([]);
    expect(await transaction(one.em, 'all-tenants', namesSeenBy)).toEqual([]);
    const failing = transaction(one.em, { tenantId: acme }, () => Promise.reject(new Error('rolled back')));
    await expect(failing).rejects.toThrow('rolled back');
    expect((await (await poolOf(one)).query('select * from item')).rows).toEqual([]);
  });

  test('when many of different tenants run at once, then each sees its own rows', async () => {
    const tenants = Array.from({ length: 100 }, (_, index) => ({ tenantId: newId(), name: `only-${index}` }));
    await Promise.all(tenants.map(({ tenantId, name }) => suite.insert(tenantId, { name })));
    const seen = await Promise.all(tenants.map(({ tenantId }) => transaction(suite.orm.em, { tenantId }, namesSeenBy)));
    expect(seen).toEqual(tenants.map(({ name }) => [name]));
  });

  test('when the tenant is not a UUID, then it fails instead of seeing anything', async () => {
    for (const tenantId of [`' or true --`, 'on', '%']) {
      await expect(transaction(suite.orm.em, { tenantId }, namesSeenBy)).rejects.toMatchObject({ code: '22P02' });
    }
    expect(await transaction(suite.orm.em, { tenantId: '' }, namesSeenBy)).toEqual([]);
  });

  test('when a fork reads without a transaction of its own, then it is confined too', async () => {
    expect(await namesSeenBy(scoped(suite.orm.em, { tenantId: globex }))).toEqual(['g1']);
  });
});

describe('all tenants', () => {
  test('when work is for all tenants, then it sees rows of all where a table allows it, and none elsewhere', async () => {
    for (const tenantId of [acme, globex]) {
      await transaction(suite.orm.em, { tenantId }, async (em) => {
        em.create(Grouping, { id: newId(), tenantId, label: 'x' });
        em.create(IdempotentReply, { tenantId, actorId: 'a', key: 'k', fingerprint: 'f', reply: Buffer.from(''), createdAt: new Date() });
      });
    }
    const counts = await transaction(suite.orm.em, 'all-tenants', async (em) => [
      await em.count(Grouping, {}),
      await em.count(IdempotentReply, {}),
      await em.count(Item, {}),
    ]);
    expect(counts).toEqual([2, 2, 0]);
  });

  test.each(['true', '1', 'yes', 'ON', 'off', ''])(
    'when the setting is %j instead of what the code sets, then no row is seen',
    async (value) => {
      await app.query('begin');
      await app.query(`select set_config('app.all_tenants', $1, true)`, [value]);
      expect((await app.query('select * from grouping')).rows).toEqual([]);
      await app.query('rollback');
    },
  );
});

describe('the logins', () => {
  test('when they are looked up, then the application is neither owner nor superuser and cannot pass row-level security', async () => {
    const { rows } = await suite.admin.query(
      `select rolname as name, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname like $1 order by 1`,
      [`${suite.service}%`],
    );
    const none = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false };
    expect(rows).toEqual([suite.service, `${suite.service}_owner`].map((name) => ({ name, ...none })));
    const owned = await suite.admin.query(
      `select relname from pg_class where relowner = $1::regrole union all select nspname from pg_namespace where nspowner = $1::regrole
       union all select rolname from pg_auth_members m join pg_roles r on m.roleid = r.oid where m.member = $1::regrole`,
      [suite.service],
    );
    expect(owned.rows).toEqual([]);
  });

  test('when every table with a tenant is looked up, then it forces row-level security', async () => {
    const { rows } = await suite.admin.query(
      `select c.relname, c.relrowsecurity and c.relforcerowsecurity as forced from pg_class c join pg_attribute a on a.attrelid = c.oid
       where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and c.relnamespace = $1::regnamespace`,
      [suite.service],
    );
    expect(rows.length).toBeGreaterThanOrEqual(5);
    expect(rows.filter(({ forced }) => !forced)).toEqual([]);
  });

  test('when even the owner reads or switches row-level security off, then it sees no row', async () => {
    const owner = await openClient(suite.ownerUrl);
    expect((await owner.query('select * from item')).rows).toEqual([]);
    await owner.end();
    await app.query('set row_security = off');
    await expect(app.query('select * from item')).rejects.toMatchObject({ code: '42501' });
    await app.query('reset row_security');
  });

  test.each([
    'alter table item disable row level security',
    'alter table item no force row level security',
    'drop policy tenant_isolation on item',
    'create policy all_rows on item using (true)',
    'truncate item',
    'drop table item',
    'create table mine (id int)',
    'create schema mine',
    'create temporary table mine (id int)',
    'alter role current_user bypassrls',
    'set role postgres',
  ])('when the application tries to %s, then it is refused', async (statement) => {
    await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  test('when the application of one service reads the schema of another, then it is refused', async () => {
    const other = await startSuite();
    const stranger = `other_${suite.service}`;
    await createServiceSchema(suite.adminUrl, { service: stranger, ownerPassword: 'owner', appPassword: 'app' });
    const url = Object.assign(new URL(suite.adminUrl), { username: stranger, password: 'app' }).href;
    const client = await openClient(url);
    for (const statement of [
      `select * from ${suite.service}.item`,
      `insert into ${suite.service}.inbox_event values (gen_random_uuid(), now())`,
      `create function ${suite.service}.f() returns int language sql as 'select 1'`,
      `set role ${suite.service}`,
    ]) {
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
    await client.end();
    // Its login opens no other database either.
    const elsewhere = Object.assign(new URL(other.adminUrl), { username: stranger, password: 'app' }).href;
    await expect(openClient(elsewhere)).rejects.toMatchObject({ code: '42501' });
    await suite.admin.query(`drop schema ${stranger} cascade`);
    for (const role of [stranger, `${stranger}_owner`]) await suite.admin.query(`drop owned by ${role} cascade`);
    await suite.admin.query(`drop role ${stranger}, ${stranger}_owner`);
    await other.close();
  });
});
