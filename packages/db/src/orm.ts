import type { Logger } from '@accessops/telemetry';
import { type DatabaseAddress, databaseAddress, type TlsIdentity } from '@accessops/tls';
import { type EntityClass, type EntitySchema, MikroORM, type Options } from '@mikro-orm/postgresql';
import type { Pool, PoolClient } from 'pg';
import { beginWithNext } from './begin-with-next.ts';
import { prepareOnce } from './prepared.ts';

export interface OrmOptions {
  /** The application login of the service. */
  url: string;
  /** Whom to connect as where the address asks for TLS. */
  tls?: TlsIdentity;
  /** The PostgreSQL schema, named like the service. */
  schema: string;
  entities: (EntityClass<object> | EntitySchema)[];
  /** Ten connections beat thirty on two cores. */
  poolSize?: number;
  /**
   * How long a connection is waited for, default 15000. Waiting for a free one counts as well: a crowd is to queue, not to be sent away, nor who comes
   * while the server stands still. One that is gone refuses at once.
   */
  connectWithinMs?: number;
  log: Logger;
}

const poolOptions = {
  keepAlive: true,
  // Statements that hang must not hold a connection for ever; a lock is waited for at most as long.
  statement_timeout: 10_000,
  idle_in_transaction_session_timeout: 30_000,
};

// Plans are kept for as long as a connection lives: none is to be made for tables that happen to be empty then. A statement that no index
// helps is scanned all the same, and is not worth compiling.
const planning = '-c enable_seqscan=off -c jit=off';

/**
 * Gives a connection that has broken back to the pool for whoever holds it: Kysely gives one back only after a rollback
 * that worked, and would lose one for good each time a connection breaks in a transaction.
 */
const giveBackBroken = (pool: Pool): void => {
  const held = new Set<PoolClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_, client) => held.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      if (!held.has(client)) return;
      client.release(true);
      client.release = () => undefined;
    });
  });
};

const preparePool = (pool: Pool, ssl: DatabaseAddress['ssl']): void => {
  // Not among the driver's options, of which MikroORM makes a copy: each connection is to read anew what it shows.
  if (ssl) pool.options.ssl = ssl;
  giveBackBroken(pool);
  pool.on('connect', (client) => {
    prepareOnce(client);
    beginWithNext(client);
  });
};

/** Connects MikroORM to one schema. Connections are made lazily and re-made by themselves. */
export const createOrm = ({ url, tls, schema, entities, poolSize = 10, connectWithinMs = 15_000, log }: OrmOptions): Promise<MikroORM> => {
  const { connectionString, ssl } = databaseAddress(url, tls);
  const options: Options = {
    clientUrl: connectionString,
    schema,
    entities: entities as Options['entities'],
    forceUtcTimezone: true,
    // A database that is not there is not ours to create, and asking costs a connection before the first query.
    ensureDatabase: false,
    pool: { min: 0, max: poolSize, idleTimeoutMillis: 30_000 },
    driverOptions: {
      ...poolOptions,
      connectionTimeoutMillis: connectWithinMs,
      options: `-c search_path=${schema} ${planning}`,
      onPoolCreated: (pool: Pool) => preparePool(pool, ssl),
    },
    logger: (message) => log.warn({ orm: message }, 'orm'),
  };
  return MikroORM.init(options);
};

/** The connection pool underneath, for prepared statements on hot paths. */
export const poolOf = (orm: MikroORM): Promise<Pool> => orm.em.getDriver().getConnection().getNativeClient();
