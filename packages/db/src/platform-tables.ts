import { tenantTable } from './tenant-table.ts';

/** SQL of the tables every service has: outbox (written once, read in order, never updated), inbox, dead letters, kept replies. For the first migration. */
export const platformTables: readonly string[] = [
  `create table outbox_event (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    tenant_id uuid not null,
    type text not null,
    aggregate_id text not null,
    payload bytea not null,
    headers jsonb not null,
    created_at timestamptz(3) not null
  )`,
  ...tenantTable('outbox_event', { acrossTenants: true }),
  // How far the outbox was sent, and to which incarnation of the stream: another one means that the store was wiped.
  'create table outbox_stream (name text primary key, created text not null, sent_through bigint not null)',
  // Where outbox and stream stood at a time: what lies before an old one, and was acknowledged, can go.
  `create table outbox_mark (
    name text not null,
    sent_through bigint not null,
    stream_sequence bigint not null,
    made_at timestamptz(3) not null,
    primary key (name, sent_through)
  )`,
  'create table inbox_event (event_id uuid primary key, processed_at timestamptz(3) not null)',
  'create index inbox_event_processed on inbox_event using brin (processed_at)',
  `create table dead_letter (
    id uuid primary key,
    event_id uuid not null unique,
    tenant_id uuid not null,
    event_type text not null,
    subject text not null,
    headers jsonb not null,
    payload bytea not null,
    error text not null,
    attempts integer not null,
    status text not null check (status in ('PARKED', 'REPLAYED')),
    parked_at timestamptz(3) not null,
    replayed_at timestamptz(3)
  )`,
  'create index dead_letter_tenant on dead_letter (tenant_id, parked_at)',
  'create index dead_letter_parked on dead_letter (parked_at, id)',
  ...tenantTable('dead_letter', { acrossTenants: true }),
  `create table idempotent_reply (
    tenant_id uuid not null,
    actor_id text not null,
    key text not null,
    fingerprint text not null,
    reply bytea not null,
    created_at timestamptz(3) not null,
    primary key (tenant_id, actor_id, key)
  )`,
  'create index idempotent_reply_created on idempotent_reply (created_at)',
  ...tenantTable('idempotent_reply', { acrossTenants: true }),
];

/** SQL that removes them. */
export const dropPlatformTables: readonly string[] = [
  'drop table if exists idempotent_reply, dead_letter, inbox_event, outbox_mark, outbox_stream, outbox_event',
];

/**
 * SQL of the table that remembers when the database of a service was restored; for a migration. Who restores it writes there, see
 * `recover` in deploy; the service only reads.
 */
export const recoveryTable = (service: string): readonly string[] => [
  'create table recovery (id uuid primary key, recovered_at timestamptz(3) not null)',
  `revoke insert, update, delete on recovery from ${service}`,
];
