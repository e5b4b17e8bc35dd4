import { tenantTable } from './tenant-table.ts';

/** SQL of the tables every service has: outbox, inbox, dead letters, kept replies. For the first migration. */
export const platformTables: readonly string[] = [
  `create table outbox_event (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    tenant_id uuid not null,
    type text not null,
    aggregate_id text not null,
    payload bytea not null,
    headers jsonb not null,
    created_at timestamptz(3) not null,
    published_at timestamptz(3),
    stream_sequence bigint
  )`,
  'create index outbox_event_unpublished on outbox_event (id) where published_at is null',
  'create index outbox_event_tenant on outbox_event (tenant_id, id)',
  'create index outbox_event_published on outbox_event using brin (published_at)',
  ...tenantTable('outbox_event', { acrossTenants: true }),
  // Which incarnation of the stream the outbox was sent to; another one means that the store was wiped.
  'create table outbox_stream (name text primary key, created text not null)',
  'create table inbox_event (event_id uuid primary key, processed_at timestamptz(3) not null)',
  'create index inbox_event_processed on inbox_event (processed_at)',
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
  'drop table if exists idempotent_reply, dead_letter, inbox_event, outbox_stream, outbox_event',
];
