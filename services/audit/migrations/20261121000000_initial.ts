import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const columns = `
    tenant_id uuid not null,
    id uuid not null,
    sequence bigint not null check (sequence > 0),
    occurred_at timestamptz(3) not null,
    recorded_at timestamptz(3) not null,
    actor_id text not null,
    actor_type text not null,
    actor_email text not null,
    action text not null,
    entity_type text not null,
    entity_id text not null,
    changes text not null check (changes is json object),
    ip text not null,
    user_agent text not null,
    request_id text not null,
    prev_hash bytea not null check (octet_length(prev_hash) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    leaf_hash bytea not null check (octet_length(leaf_hash) = 32)`;

/** One index for each field of the list that a tenant has many values of; `sequence` gives the order of the pages. */
const indexes = ['actor_id', 'action', 'entity_type', 'entity_id', 'request_id', 'occurred_at'].map(
  (field) => `create index audit_event_${field} on audit_event (tenant_id, ${field}, sequence)`,
);

/** Whoever owns a table is refused as well: these triggers are not about privileges. `%I` stands for the table. */
const appendOnly = [
  'create trigger append_only before update or delete or truncate on %I for each statement execute function refuse_change()',
  // Rows are written and read through the parent; nobody has to do with a partition itself.
  'revoke all on %I from audit',
  ...tenantTable('%I', { acrossTenants: true }),
];

const applied = (sql: string, table: string) => sql.replaceAll('%I', table);
const executed = (sql: string) => `execute format($sql$${sql}$sql$, partition);`;

/** The log, its chain heads, and the tables every service has. */
export class Initial extends Migration {
  override up(): void {
    const statements = [
      `create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
      end $$`,

      // prev_hash, hash: the chain. leaf_hash: leaf \`sequence - 1\` of the tenant's Merkle tree (RFC 6962), for proofs and checkpoints.
      // recorded_at: when the row was stored; the only column that the hashes do not cover.
      `create table audit_event (${columns},
    primary key (tenant_id, sequence, occurred_at),
    unique (id, occurred_at)
  ) partition by range (occurred_at)`,
      ...indexes,
      // For those who look across tenants; `(id, occurred_at)` serves them as well.
      'create index audit_event_time on audit_event (occurred_at, id)',
      // Whatever no month takes; empty unless a clock is far off.
      'create table audit_event_default partition of audit_event default',
      ...['audit_event', 'audit_event_default'].flatMap((table) => appendOnly.map((sql) => applied(sql, table))),
      'grant select, insert on audit_event to audit',

      // The newest link of each tenant: locked to append, and what a cut tail is held against.
      `create table chain_head (
    tenant_id uuid primary key,
    sequence bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    updated_at timestamptz(3) not null
  )`,
      ...tenantTable('chain_head', { acrossTenants: true }),
      'revoke all on chain_head from audit',
      'grant select, insert, update on chain_head to audit',
      `create function only_forward() returns trigger language plpgsql as $$
      begin
        if tg_op = 'INSERT' and new.sequence <> 0 then
          raise exception 'a chain begins at 0' using errcode = 'insufficient_privilege';
        end if;
        if tg_op = 'UPDATE' and (new.tenant_id <> old.tenant_id or new.sequence <= old.sequence) then
          raise exception 'a chain only grows' using errcode = 'insufficient_privilege';
        end if;
        return new;
      end $$`,
      'create trigger only_forward before insert or update on chain_head for each row execute function only_forward()',
      'create trigger append_only before delete or truncate on chain_head for each statement execute function refuse_change()',

      // The application may have partitions made, without the right to make tables. The answer: it is "there" already, was
      // "made" now, or has to stay "without": rows of the month lie in the default partition, or it is far from now.
      `create function ensure_audit_partition(month date) returns text
      language plpgsql security definer set search_path = audit, pg_temp set timezone = 'UTC' as $$
      declare
        first date := date_trunc('month', month);
        next date := first + interval '1 month';
        partition text := to_char(first, '"audit_event_"YYYY_MM');
      begin
        if to_regclass(format('%I', partition)) is not null then return 'there'; end if;
        if first not between now() - interval '1 year' and now() + interval '1 year' then return 'without'; end if;
        perform pg_advisory_xact_lock(hashtext('audit_event partitions'));
        execute format('create table %I (like audit_event including all)', partition);
        ${appendOnly.map(executed).join('\n        ')}
        execute format('alter table audit_event attach partition %I for values from (%L) to (%L)', partition, first, next);
        return 'made';
      exception
        when duplicate_table then return 'there';
        when check_violation then return 'without';
      end $$`,
      'revoke all on function ensure_audit_partition(date) from public',
      'grant execute on function ensure_audit_partition(date) to audit',
      ...platformTables,
    ];
    for (const sql of statements) this.addSql(sql);
  }

  override down(): void {
    for (const sql of [
      ...dropPlatformTables,
      'drop function if exists ensure_audit_partition(date)',
      'drop table if exists chain_head, audit_event',
      'drop function if exists only_forward(), refuse_change()',
    ])
      this.addSql(sql);
  }
}
