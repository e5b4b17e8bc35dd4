import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  `create table plan (
    request_id uuid primary key,
    tenant_id uuid not null,
    job_id uuid not null unique,
    requester_id uuid not null,
    stage_roles jsonb not null,
    stage_teams jsonb not null,
    target jsonb not null,
    status text not null check (status in ('PENDING', 'READY', 'FAILED')),
    attempts integer not null default 0,
    due_at timestamptz(3) not null,
    steps jsonb not null default '[]',
    error text,
    prepared_at timestamptz(3),
    created_at timestamptz(3) not null
  )`,
  'create index plan_tenant on plan (tenant_id, created_at)',
  `create index plan_due on plan (due_at) where status = 'PENDING'`,

  `create table saved_plan (
    job_id uuid primary key references plan (job_id),
    tenant_id uuid not null,
    key_id text not null,
    data_key bytea not null,
    iv bytea not null,
    ciphertext bytea not null,
    tag bytea not null
  )`,
  'create index saved_plan_tenant on saved_plan (tenant_id)',
];

/** What is to happen at targets, for those who decide; and what connectors want to have kept of it, sealed, until the job is over. */
export class Plans extends Migration {
  override up(): void {
    for (const sql of tables) this.addSql(sql);
    for (const table of ['plan', 'saved_plan']) for (const sql of tenantTable(table, { acrossTenants: true })) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table saved_plan, plan');
  }
}
