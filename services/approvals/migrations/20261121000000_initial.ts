import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  `create table approval_case (
    request_id uuid primary key,
    tenant_id uuid not null,
    requester_id uuid not null,
    requester_email text not null,
    resource_id uuid not null,
    role text not null,
    justification text not null,
    duration text not null,
    stages jsonb not null,
    open_to text[] not null,
    status text not null check (status in ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED')),
    created_at timestamptz(3) not null,
    decided_at timestamptz(3),
    version integer not null default 1
  )`,
  // Only what waits is ever listed. Arrays cannot be searched by index under row-level security (&& is not leakproof):
  // a list walks one of these in its order and looks at open_to on the way.
  `create index approval_case_waiting on approval_case (tenant_id, created_at, request_id) where status = 'PENDING'`,
  `create index approval_case_waiting_requester on approval_case (tenant_id, requester_id, created_at) where status = 'PENDING'`,
  `create index approval_case_waiting_resource on approval_case (tenant_id, resource_id, created_at) where status = 'PENDING'`,
  `create index approval_case_waiting_role on approval_case (tenant_id, role, request_id) where status = 'PENDING'`,
  `create table vote (
    tenant_id uuid not null,
    request_id uuid not null,
    decider_id uuid not null,
    decider_email text not null,
    verdict text not null check (verdict in ('APPROVE', 'REJECT')),
    comment text not null check (length(comment) <= 2000),
    stage text,
    decided_at timestamptz(3) not null,
    primary key (tenant_id, request_id, decider_id)
  )`,
  'create index vote_decider on vote (tenant_id, decider_id, request_id)',
  `create table person (
    tenant_id uuid not null,
    id uuid not null,
    email text not null,
    active boolean not null,
    org_roles text[] not null,
    team_ids text[] not null,
    version integer not null,
    primary key (tenant_id, id)
  )`,
  'create index person_email on person (tenant_id, email)',
];

export class Initial extends Migration {
  override up(): void {
    for (const sql of [...tables, ...['approval_case', 'vote', 'person'].flatMap((table) => tenantTable(table)), ...platformTables]) {
      this.addSql(sql);
    }
  }

  override down(): void {
    this.addSql('drop table person, vote, approval_case');
    for (const sql of dropPlatformTables) this.addSql(sql);
  }
}
