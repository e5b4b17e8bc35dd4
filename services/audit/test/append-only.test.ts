import { newId } from '@accessops/db';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
let tenantId: string;
let app: pg.Client;
let owner: pg.Client;
const tables = async () => {
  const { rows } = await suite.admin.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'audit' and c.relname like 'audit\\_event%' and c.relkind in ('r', 'p') order by 1`,
  );
  return rows.map(({ name }) => name);
};
const open = async (url: string) => {
  const client = new pg.Client({ connectionString: url, options: '-c app.all_tenants=on' });
  await client.connect();
  return client;
};

beforeAll(async () => {
  suite = await startSuite();
  tenantId = await suite.tenantWith(3);
  app = await open(suite.database.appUrl('audit'));
  owner = await open(suite.database.ownerUrl('audit'));
});
afterAll(async () => {
  await Promise.all([app.end(), owner.end()]);
  await suite.close();
});

/** What became of each statement: the code it was refused with. */
const refusals = async (client: pg.Client | pg.Pool, statements: string[]) => {
  const answers: Record<string, string> = {};
  for (const statement of statements) {
    answers[statement] = await client.query(statement).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
  }
  return answers;
};
const allRefused = (statements: string[]) => Object.fromEntries(statements.map((statement) => [statement, '42501']));

const attempts = (table: string) => [
  `update ${table} set action = 'NOTHING'`,
  `update ${table} set hash = hash where false`,
  `delete from ${table}`,
  `delete from ${table} where false`,
  `truncate ${table}`,
];

test('when the application or the owner changes or removes what was recorded, then the database refuses, in every table of the log', async () => {
  const names = await tables();
  expect(names).toContain('audit_event');
  expect(names).toContain('audit_event_default');
  expect(names).toContain(`audit_event_${new Date().toISOString().slice(0, 7).replace('-', '_')}`);
  const statements = names.flatMap(attempts);
  for (const client of [app, owner]) expect(await refusals(client, statements)).toEqual(allRefused(statements));
  expect(await suite.log(tenantId, 3)).toHaveLength(3);
});

test('when even a superuser forgets the rule, then the triggers refuse', async () => {
  const statements = (await tables()).flatMap(attempts);
  expect(await refusals(suite.admin, statements)).toEqual(allRefused(statements));
  await expect(suite.admin.query('truncate audit_event')).rejects.toThrow('audit_event is append-only');
});

test('when the application writes past the parent, merges or takes rows for itself, then the database refuses', async () => {
  const names = (await tables()).filter((name) => name !== 'audit_event');
  const statements = [
    ...names.flatMap((name) => [`insert into ${name} select * from audit_event limit 1`, `select * from ${name}`]),
    'select * from audit_event for update',
    `merge into audit_event t using chain_head h on t.tenant_id = h.tenant_id when matched then delete`,
    'insert into audit_event select * from audit_event on conflict (id, occurred_at) do update set action = $$X$$',
    'alter table audit_event disable trigger all',
    'drop table audit_event',
    'create table mine (id int)',
    'set session_replication_role = replica',
  ];
  expect(await refusals(app, statements)).toEqual(allRefused(statements));
});

describe('the head of a chain', () => {
  test.each([
    ['goes back', 'update chain_head set sequence = sequence - 1'],
    ['stays', 'update chain_head set hash = decode(repeat($$00$$, 32), $$hex$$)'],
    ['changes hands', 'update chain_head set tenant_id = gen_random_uuid(), sequence = sequence + 1'],
    ['is removed', 'delete from chain_head'],
    ['is truncated', 'truncate chain_head'],
    ['begins in the middle', 'insert into chain_head values (gen_random_uuid(), 5, decode(repeat($$00$$, 32), $$hex$$), now())'],
  ])('when it %s, then the database refuses', async (_, statement) => {
    for (const client of [app, owner]) await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('row-level security', () => {
  const count = async (client: pg.Client, table: string, tenant: string) => {
    await client.query('begin');
    await client.query(`select set_config('app.all_tenants', '', true), set_config('app.tenant_id', $1, true)`, [tenant]);
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${table}`);
    await client.query('rollback');
    return Number(rows[0]?.count);
  };

  test('when nobody names a tenant, then no row is seen and none can be written', async () => {
    expect(await count(app, 'audit_event', '')).toBe(0);
    expect(await count(app, 'chain_head', '')).toBe(0);
    await app.query(`set app.all_tenants = ''`);
    await expect(
      app.query(`insert into chain_head values (gen_random_uuid(), 0, decode(repeat($$00$$, 32), $$hex$$), now())`),
    ).rejects.toMatchObject({ code: '42501' });
    await app.query('set app.all_tenants = on');
  });

  test('when a query names no tenant in its WHERE, then it sees the rows of its own tenant only', async () => {
    const other = await suite.tenantWith(2);
    expect(await count(app, 'audit_event', tenantId)).toBe(3);
    expect(await count(app, 'audit_event', other)).toBe(2);
    expect(await count(app, 'audit_event', newId())).toBe(0);
  });

  test('when the owner looks at a table of the log directly, then row-level security holds there too', async () => {
    const total = (names: string[], tenant: string) =>
      names.reduce(async (sum, name) => (await sum) + (await count(owner, name, tenant)), Promise.resolve(0));
    const partitions = (await tables()).filter((name) => name !== 'audit_event');
    expect(await total(partitions, '')).toBe(0);
    expect(await total(partitions, tenantId)).toBe(3);
  });

  test('when the log is looked up, then all its tables force row-level security and belong to somebody else than the application', async () => {
    const { rows } = await suite.admin.query(
      `select relname, relrowsecurity and relforcerowsecurity as forced, pg_get_userbyid(relowner) as owner from pg_class
       where relname like 'audit\\_event%' and relkind in ('r', 'p') and relnamespace = 'audit'::regnamespace`,
    );
    expect(rows.length).toBeGreaterThan(4);
    expect(rows.filter(({ forced, owner: name }) => !forced || name !== 'audit_owner')).toEqual([]);
  });
});
