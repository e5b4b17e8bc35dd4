import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { databaseDocument } from './database-document.ts';
import { migrateServices } from './migrate-services.ts';
import { openDataPaths, root } from './paths.ts';
import { reserveFreePort } from './ports.ts';
import { postgresUrl, preparePostgres, withAdmin } from './postgres.ts';
import { ProcessGroup } from './process-group.ts';
import { openSecrets } from './secrets.ts';
import { StartError } from './start-error.ts';

/** Where the document of the schema lies in the repository. */
export const databaseDocumentPath = 'docs/database-schema.md';

/** Everything that migrations make in a service's schema, as text that can be compared. */
const describe = (url: string): Promise<string> =>
  withAdmin(url, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `
      select format('column %s.%s.%s %s %s %s', table_schema, table_name, column_name, data_type, is_nullable, column_default) as line
        from information_schema.columns where table_schema = any($1)
      union all select format('index %s', indexdef) from pg_indexes where schemaname = any($1)
      union all select format('policy %s.%s.%s %s %s', schemaname, tablename, policyname, qual, with_check) from pg_policies where schemaname = any($1)
      union all select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(c.oid)) from pg_constraint c
        join pg_namespace n on n.oid = c.connamespace where n.nspname = any($1)
      union all select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t join pg_class r on r.oid = t.tgrelid
        join pg_namespace n on n.oid = r.relnamespace where n.nspname = any($1) and not t.tgisinternal
      union all select format('function %s', pg_get_functiondef(p.oid)) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any($1)
      order by 1`,
      [services],
    );
    return rows.map(({ line }) => line).join('\n');
  });

interface FreshDatabase {
  /** The superuser's address. */
  url: string;
  run(direction: 'up' | 'down'): Promise<number>;
}

/** A database of its own for as long as `work` takes. */
const withFreshDatabase = async <T>(work: (fresh: FreshDatabase) => Promise<T>): Promise<T> => {
  const paths = openDataPaths(mkdtempSync(join(tmpdir(), 'accessops-migrations-')));
  const group = new ProcessGroup(paths);
  try {
    const { postgres: password, database: passwords } = openSecrets(paths.secrets);
    const port = await reserveFreePort();
    await group.launch(await preparePostgres({ directory: join(paths.data, 'postgres'), port, password, durable: false }), 0);
    const adminUrl = postgresUrl(port.port, 'postgres', password, 'postgres');
    const url = postgresUrl(port.port, 'postgres', password, 'accessops');
    const run = (direction: 'up' | 'down') => migrateServices({ adminUrl, database: 'accessops', services, passwords, direction });
    return await work({ url, run });
  } finally {
    await group.stop();
    rmSync(paths.directory, { recursive: true, force: true });
  }
};

/** `docs/database-schema.md` as the migrations make it. */
export const currentDatabaseDocument = (): Promise<string> =>
  withFreshDatabase(async ({ url, run }) => {
    await run('up');
    return databaseDocument(url);
  });

/** Runs all migrations up, down and up again on a fresh database: both ways up must end in the same schema, the documented one. */
export const migrations = (): Promise<number> =>
  withFreshDatabase(async ({ url, run }) => {
    const step = async (direction: 'up' | 'down') => {
      process.stdout.write(`${direction}: ${await run(direction)} migrations\n`);
      return describe(url);
    };
    const first = await step('up');
    const document = await databaseDocument(url);
    const empty = await step('down');
    const second = await step('up');
    // The table of what was run stays.
    const left = empty.split('\n').filter((line) => line !== '' && !line.includes('schema_migration'));
    if (left.length > 0) throw new StartError(`Migrating down leaves this behind:\n${left.join('\n')}`);
    if (first !== second) throw new StartError('Migrating up again does not give the schema of the first time.');
    if (readFileSync(join(root, databaseDocumentPath), 'utf8') !== document)
      throw new StartError(`${databaseDocumentPath} is not what npm run generate makes.`);
    process.stdout.write('up, down and up again give the same schema, which is the documented one\n');
    return 0;
  });
