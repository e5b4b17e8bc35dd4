import { type Service, services } from '@accessops/events/topology';
import { withAdmin } from './postgres.ts';

interface Column {
  schema: string;
  table: string;
  column: string;
  type: string;
  primary: boolean;
}

interface Reference {
  schema: string;
  child: string;
  parent: string;
}

interface Table {
  schema: string;
  table: string;
  security: boolean;
  policies: string | null;
}

const what: Record<Service, string> = {
  identity: 'Accounts and sessions of the local provider; tenants, users, teams.',
  requests: 'The catalog, and access requests with their state.',
  approvals: 'Cases, votes, and the people who can vote as the last events told of them.',
  provisioner: 'Jobs, grants, sealed credentials, and the simulated target.',
  audit: 'The chain of audit events per tenant; partitioned by month.',
};

// Partitions are listed with their parent; what the migrator keeps for itself is not the service's.
const ownTables = `
  from pg_class r join pg_namespace n on n.oid = r.relnamespace
  where n.nspname = any($1) and r.relkind in ('r', 'p') and not r.relispartition and r.relname <> 'schema_migration'`;

const readTables = `
  select n.nspname as schema, r.relname as table, r.relforcerowsecurity as security,
    (select string_agg(case when p.polqual::text is null then '' else pg_get_expr(p.polqual, p.polrelid) end, ' ') from pg_policy p where p.polrelid = r.oid) as policies
  ${ownTables} order by 1, 2`;

const readColumns = `
  select n.nspname as schema, r.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
    exists (select from pg_index i where i.indrelid = r.oid and i.indisprimary and a.attnum = any(i.indkey)) as primary
  from pg_attribute a join pg_class r on r.oid = a.attrelid join pg_namespace n on n.oid = r.relnamespace
  where n.nspname = any($1) and r.relkind in ('r', 'p') and not r.relispartition and r.relname <> 'schema_migration'
    and a.attnum > 0 and not a.attisdropped
  order by 1, 2, a.attnum`;

const readReferences = `
  select distinct n.nspname as schema, c.conrelid::regclass::text as child, c.confrelid::regclass::text as parent
  from pg_constraint c join pg_namespace n on n.oid = c.connamespace join pg_class r on r.oid = c.conrelid
  where n.nspname = any($1) and c.contype = 'f' and not r.relispartition order by 1, 2, 3`;

// Mermaid's attribute types are single words.
const typeWord = (type: string) =>
  type
    .replace('timestamp(3) with time zone', 'timestamptz')
    .replace('character varying', 'varchar')
    .replaceAll('[]', '_array')
    .replaceAll(/[^a-z0-9_]/g, '_');

const bare = (name: string) => name.slice(name.indexOf('.') + 1);

const shared = new Set(['outbox_event', 'outbox_stream', 'outbox_mark', 'inbox_event', 'dead_letter', 'idempotent_reply', 'recovery']);

const diagram = (tables: Table[], columns: Column[], references: Reference[]): string => {
  const entities = tables.map(({ table }) => {
    const lines = columns
      .filter((column) => column.table === table)
      .map(({ column, type, primary }) => `    ${typeWord(type)} ${column}${primary ? ' PK' : ''}`);
    return `  ${table} {\n${lines.join('\n')}\n  }`;
  });
  const relations = references.map(({ child, parent }) => `  ${bare(parent)} ||--o{ ${bare(child)} : ""`);
  return ['```mermaid', 'erDiagram', ...relations, ...entities, '```'].join('\n');
};

const security = ({ security: forced, policies }: Table): string =>
  forced ? (policies?.includes('app.all_tenants') ? 'tenant; background work across tenants' : 'tenant') : 'no data of a tenant';

const section = (title: string, intro: string, tables: Table[], columns: Column[], references: Reference[]): string => {
  const rows = tables.map((table) => `| \`${table.table}\` | ${security(table)} |`);
  return `## ${title}\n\n${intro}\n\n${diagram(tables, columns, references)}\n\n| table | who sees a row (row-level security) |\n|---|---|\n${rows.join('\n')}\n`;
};

/** `docs/database-schema.md`, read from a database that has all migrations. */
export const databaseDocument = (url: string): Promise<string> =>
  withAdmin(url, async (client) => {
    const { rows: tables } = await client.query<Table>(readTables, [services]);
    const { rows: columns } = await client.query<Column>(readColumns, [services]);
    const { rows: references } = await client.query<Reference>(readReferences, [services]);
    const of = <R extends { schema: string }>(rows: R[], service: string) => rows.filter(({ schema }) => schema === service);
    const own = (service: Service) =>
      section(
        service,
        what[service],
        of(tables, service).filter(({ table }) => !shared.has(table)),
        of(columns, service),
        of(references, service),
      );
    const common = section(
      'in every schema',
      'What is to be told, what has been heard, what could not be handled, and replies kept under an `Idempotency-Key`.',
      of(tables, 'requests').filter(({ table }) => shared.has(table)),
      of(columns, 'requests'),
      [],
    );
    return `# Database

<!-- Generated by \`npm run generate\` from the migrations: change them. -->

One PostgreSQL database, a schema per service, each with an owner for [migrations](migrations.md) and a login for the service that owns
nothing. No service reads another's schema: what it needs to know of others arrives as [events](events.md).

${services.map(own).join('\n')}
${common}`;
  });
