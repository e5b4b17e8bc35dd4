import { createLogger } from '@accessops/telemetry';
import { infrastructure, patienceMs } from '@accessops/testing';
import { defineEntity, type EntityManager, type MikroORM, p } from '@mikro-orm/postgresql';
import pg from 'pg';
import { createOrm, createServiceSchema, IdempotentReply, migrate, newId, type OrmOptions, transaction } from '../src/index.ts';

export const Grouping = defineEntity({
  name: 'Grouping',
  tableName: 'grouping',
  properties: { id: p.uuid().primary(), tenantId: p.uuid(), label: p.text().nullable() },
});

export const Item = defineEntity({
  name: 'Item',
  tableName: 'item',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    size: p.integer(),
    active: p.boolean(),
    tags: p.array(),
    createdAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    group: () => p.manyToOne(Grouping).nullable(),
  },
});

export interface ItemInit {
  id?: string;
  name: string;
  size?: number;
  active?: boolean;
  tags?: string[];
  createdAt?: Date;
  endedAt?: Date | null;
  group?: string | null;
}

/** A database with the schema of a service of its own, and that service's connection. */
export interface Suite {
  /** Name of the service, its schema and its login. */
  service: string;
  adminUrl: string;
  appUrl: string;
  ownerUrl: string;
  orm: MikroORM;
  /** The superuser, whom row-level security does not hold. */
  admin: pg.Pool;
  insert(tenantId: string, ...items: ItemInit[]): Promise<string[]>;
  open(options?: Partial<OrmOptions>): Promise<MikroORM>;
  close(): Promise<void>;
}

export const migrations = new URL('migrations', import.meta.url).pathname;

const at = (base: string, changed: Partial<Pick<URL, 'pathname' | 'username' | 'password'>>) => Object.assign(new URL(base), changed).href;

export const silent = createLogger('test', 'silent');

export const openClient = async (connectionString: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

export const startSuite = async (): Promise<Suite> => {
  const service = `db_${newId().slice(-12)}`;
  const server = await openClient(infrastructure().adminUrl);
  await server.query(`create database ${service}`);
  const adminUrl = at(infrastructure().adminUrl, { pathname: `/${service}` });
  await createServiceSchema(adminUrl, { service, ownerPassword: 'owner', appPassword: 'app' });
  const ownerUrl = at(adminUrl, { username: `${service}_owner`, password: 'owner' });
  const appUrl = at(adminUrl, { username: service, password: 'app' });
  await migrate({ url: ownerUrl, service, directory: migrations, direction: 'up' });
  const admin = new pg.Pool({ connectionString: adminUrl, options: `-c search_path=${service}`, max: 3 });
  // The database is dropped while its last connections are still ending.
  admin.on('error', () => undefined);
  const opened: MikroORM[] = [];
  const open = async (options: Partial<OrmOptions> = {}) => {
    const entities = [Item, Grouping, IdempotentReply];
    const orm = await createOrm({ url: appUrl, schema: service, entities, connectWithinMs: patienceMs, log: silent, ...options });
    opened.push(orm);
    return orm;
  };
  const orm = await open();
  return {
    service,
    adminUrl,
    appUrl,
    ownerUrl,
    orm,
    admin,
    open,
    insert: (tenantId, ...items) =>
      transaction(orm.em, { tenantId }, async (em) => {
        const made = items.map((item) =>
          em.create(Item, {
            id: newId(),
            size: 0,
            active: true,
            tags: [],
            createdAt: new Date('2026-01-01T00:00:00Z'),
            endedAt: null,
            group: null,
            ...item,
            tenantId,
          }),
        );
        await em.flush();
        return made.map(({ id }) => id);
      }),
    close: async () => {
      await Promise.all(opened.map((each) => each.close(true)));
      await admin.end();
      await server.query(`drop database ${service} with (force)`);
      await server.query(`drop role ${service}, ${service}_owner`);
      await server.end();
    },
  };
};

/** What a transaction of a tenant sees. */
export const namesSeenBy = (em: EntityManager): Promise<string[]> =>
  em.find(Item, {}, { orderBy: { name: 'asc' } }).then((items) => items.map(({ name }) => name));
