import { databaseAddress, type TlsIdentity } from '@accessops/tls';
import { type Migration, Migrator } from '@mikro-orm/migrations';
import { type Constructor, MikroORM } from '@mikro-orm/postgresql';
import { noteStep } from './schema-step.ts';

/** A migration that has been loaded already; its name is that of its file. */
export interface NamedMigration {
  name: string;
  class: Constructor<Migration>;
}

export interface MigrateOptions {
  /** The owner's login. */
  url: string;
  /** Whom to connect as where the address asks for TLS. */
  tls?: TlsIdentity;
  /** The schema, named like the service. */
  service: string;
  /** Folder of the migrations, or the migrations themselves where there is no folder, as in a bundle. */
  directory: string | NamedMigration[];
  /** `up` applies all that are missing, `down` takes all back. */
  direction: 'up' | 'down';
}

/** Runs the migrations of one service; answers the names of those that were run. */
export const migrate = async ({ url, tls, service, directory, direction }: MigrateOptions): Promise<string[]> => {
  const { connectionString, ssl } = databaseAddress(url, tls);
  const orm = await MikroORM.init({
    clientUrl: connectionString,
    schema: service,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    driverOptions: { options: `-c search_path=${service}`, ...(ssl && { ssl }) },
    migrations: {
      ...(typeof directory === 'string'
        ? { path: directory, pathTs: directory, glob: '!(*.d).ts' }
        : { migrationsList: directory.map((migration) => ({ ...migration, name: `${migration.name}.ts` })) }),
      tableName: 'schema_migration',
      transactional: true,
      allOrNothing: true,
      snapshot: false,
      silent: true,
    },
  });
  try {
    const migrator = orm.migrator;
    if (direction === 'up') {
      const pending = await migrator.getPending();
      const before = await migrator.getExecuted();
      // Before they run: whoever is there meanwhile may have to start anew. On a new schema there is nobody.
      if (pending.length > 0 && before.length > 0) await orm.em.execute(noteStep(pending.map(({ name }) => name.replace(/\.ts$/, ''))));
    }
    const done = direction === 'up' ? await migrator.up() : await migrator.down({ to: 0 });
    return done.map(({ name }) => name);
  } finally {
    await orm.close(true);
  }
};
