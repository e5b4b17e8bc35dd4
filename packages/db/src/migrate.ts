import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';

export interface MigrateOptions {
  /** The owner's login. */
  url: string;
  /** The schema, named like the service. */
  service: string;
  /** Folder of the migrations. */
  directory: string;
  /** `up` applies all that are missing, `down` takes all back. */
  direction: 'up' | 'down';
}

/** Runs the migrations of one service; answers the names of those that were run. */
export const migrate = async ({ url, service, directory, direction }: MigrateOptions): Promise<string[]> => {
  const orm = await MikroORM.init({
    clientUrl: url,
    schema: service,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    driverOptions: { options: `-c search_path=${service}` },
    migrations: {
      path: directory,
      pathTs: directory,
      glob: '!(*.d).ts',
      tableName: 'schema_migration',
      transactional: true,
      allOrNothing: true,
      snapshot: false,
      silent: true,
    },
  });
  try {
    const migrator = orm.migrator;
    const done = direction === 'up' ? await migrator.up() : await migrator.down({ to: 0 });
    return done.map(({ name }) => name);
  } finally {
    await orm.close(true);
  }
};
