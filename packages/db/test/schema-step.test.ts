import { randomBytes } from 'node:crypto';
import { createDatabase, type TestDatabase } from '@accessops/testing';
import { Migration } from '@mikro-orm/migrations';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServiceSchema, migrate, type NamedMigration, schemaStanding } from '../src/index.ts';

const migration = (name: string): NamedMigration => ({
  name,
  class: class extends Migration {
    override up(): void {
      this.addSql('select 1');
    }
  },
});

describe('a schema and code that knows other migrations', () => {
  const service = `steps_${randomBytes(4).toString('hex')}`;
  let database: TestDatabase;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await createDatabase(['audit']);
    await createServiceSchema(database.adminUrl, { service, ownerPassword: 'owner', appPassword: 'app' });
    pool = new pg.Pool({
      connectionString: Object.assign(new URL(database.adminUrl), { username: service, password: 'app' }).href,
      max: 1,
    });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const run = (...names: string[]) => {
    const url = Object.assign(new URL(database.adminUrl), { username: `${service}_owner`, password: 'owner' }).href;
    return migrate({ url, service, directory: names.map(migration), direction: 'up' });
  };

  test('when a release has migrated, then the one before goes on, and an older one does not', async () => {
    await expect(schemaStanding(pool, ['1_first'])).rejects.toThrow();
    await run('1_first');
    expect(await schemaStanding(pool, ['1_first', '2_second'])).toEqual({ missing: ['2_second'], unknown: [] });
    expect(await schemaStanding(pool, [])).toEqual({ missing: [], unknown: ['1_first'] });
    await run('1_first', '2_second', '3_third');
    expect(await schemaStanding(pool, ['1_first'])).toEqual({ missing: [], unknown: [] });
    expect(await schemaStanding(pool, ['1_first', '2_second', '3_third'])).toEqual({ missing: [], unknown: [] });
    expect(await run('1_first', '2_second', '3_third')).toEqual([]);
    expect(await schemaStanding(pool, ['1_first'])).toEqual({ missing: [], unknown: [] });
    await run('1_first', '2_second', '3_third', '4_fourth');
    expect(await schemaStanding(pool, ['1_first'])).toEqual({ missing: [], unknown: ['2_second', '3_third'] });
    expect(await schemaStanding(pool, ['1_first', '2_second', '3_third'])).toEqual({ missing: [], unknown: [] });
  });
});
