import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  `create table job (
    id uuid primary key,
    tenant_id uuid not null,
    request_id uuid not null,
    grant_id uuid,
    kind text not null check (kind in ('PROVISION', 'REVOKE')),
    queue text not null check (queue in ('high', 'default', 'low')),
    status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED')),
    attempts integer not null default 0,
    max_attempts integer,
    last_error text,
    due_at timestamptz(3) not null,
    worker uuid,
    requester_id uuid not null,
    origin jsonb not null,
    spec jsonb not null,
    created_at timestamptz(3) not null,
    started_at timestamptz(3),
    finished_at timestamptz(3)
  )`,
  `create unique index job_one_per_request on job (tenant_id, request_id) where kind = 'PROVISION'`,
  `create unique index job_one_revocation on job (grant_id) where kind = 'REVOKE' and status in ('QUEUED', 'RUNNING')`,
  // What workers look for: the most urgent queue first, then what has been due longest.
  `create index job_due on job ((case queue when 'high' then 0 when 'default' then 1 else 2 end), due_at)
   where status in ('QUEUED', 'RUNNING')`,
  'create index job_created on job (tenant_id, created_at, id)',
  'create index job_status on job (tenant_id, status, created_at, id)',
  'create index job_request on job (tenant_id, request_id)',

  `create table access_grant (
    id uuid primary key,
    tenant_id uuid not null,
    request_id uuid not null constraint access_grant_one_per_request unique,
    holder_id uuid not null,
    resource_id uuid not null,
    role text not null,
    status text not null check (status in ('ACTIVE', 'REVOKING', 'EXPIRED', 'REVOKED', 'REVOKE_FAILED')),
    activated_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    ended_at timestamptz(3),
    end_reason text check (end_reason in ('EXPIRY', 'WITHDRAWN', 'REVOKED', 'USER_DEACTIVATED')),
    version integer not null default 1,
    access jsonb not null,
    origin jsonb not null
  )`,
  `create index access_grant_expiry on access_grant (expires_at) where status = 'ACTIVE'`,
  `create index access_grant_active_holder on access_grant (tenant_id, holder_id) where status = 'ACTIVE'`,
  'create index access_grant_activated on access_grant (tenant_id, activated_at, id)',
  'create index access_grant_expires on access_grant (tenant_id, expires_at, id)',
  'create index access_grant_holder on access_grant (tenant_id, holder_id, activated_at, id)',
  'create index access_grant_resource on access_grant (tenant_id, resource_id, activated_at, id)',
  'create index access_grant_role on access_grant (tenant_id, role, id)',
  'create index access_grant_status on access_grant (tenant_id, status, activated_at, id)',

  `create table credential (
    grant_id uuid primary key references access_grant (id),
    tenant_id uuid not null,
    key_id text,
    data_key bytea,
    iv bytea,
    ciphertext bytea,
    tag bytea,
    read_at timestamptz(3),
    constraint credential_whole_or_gone check (num_nulls(key_id, data_key, iv, ciphertext, tag) in (0, 5))
  )`,
  'create index credential_tenant on credential (tenant_id)',

  // What identity has told of people, for one question: may they hold access at all?
  `create table holder (
    tenant_id uuid not null,
    user_id uuid not null,
    active boolean not null,
    version integer not null,
    primary key (tenant_id, user_id)
  )`,

  // The simulated connector's target: what is in force "out there", not what this service thinks of it.
  `create table simulated_target (
    key uuid primary key,
    tenant_id uuid not null,
    resource_key text not null,
    role text not null,
    username text not null,
    password_digest bytea,
    present boolean not null,
    times_created integer not null,
    fence integer not null
  )`,
  'create index simulated_target_tenant on simulated_target (tenant_id)',
];

// One round trip each: the tenant is set for the length of the call's own transaction.
const functions = [
  `create function simulated_apply(
     of_tenant uuid, of_key uuid, at_resource text, as_role text, with_username text, with_digest bytea, with_fence integer
   ) returns boolean language plpgsql as $$
   begin
     perform set_config('app.tenant_id', of_tenant::text, true);
     insert into simulated_target as t (key, tenant_id, resource_key, role, username, password_digest, present, times_created, fence)
     values (of_key, of_tenant, at_resource, as_role, with_username, with_digest, true, 1, with_fence)
     on conflict (key) do update
       set password_digest = excluded.password_digest, present = true, fence = excluded.fence,
           times_created = t.times_created + case when t.present then 0 else 1 end
       where t.fence < excluded.fence or (t.fence = excluded.fence and t.present);
     return found;
   end $$`,
  `create function simulated_revoke(
     of_tenant uuid, of_key uuid, at_resource text, as_role text, with_username text, with_fence integer
   ) returns boolean language plpgsql as $$
   begin
     perform set_config('app.tenant_id', of_tenant::text, true);
     insert into simulated_target as t (key, tenant_id, resource_key, role, username, present, times_created, fence)
     values (of_key, of_tenant, at_resource, as_role, with_username, false, 0, with_fence)
     on conflict (key) do update set password_digest = null, present = false, fence = excluded.fence
       where t.fence <= excluded.fence;
     return found;
   end $$`,
  `create function simulated_present(of_tenant uuid, of_key uuid) returns boolean language plpgsql as $$
   begin
     perform set_config('app.tenant_id', of_tenant::text, true);
     return exists (select from simulated_target where key = of_key and present);
   end $$`,
];

const policies = [
  ...['job', 'access_grant', 'credential', 'holder'].flatMap((table) => tenantTable(table, { acrossTenants: true })),
  ...tenantTable('simulated_target'),
];

/** Jobs, grants, credentials, and the target of the simulated connector. */
export class Initial extends Migration {
  override up(): void {
    for (const statement of [...tables, ...platformTables, ...policies, ...functions]) this.addSql(statement);
  }

  override down(): void {
    for (const name of ['simulated_apply', 'simulated_revoke', 'simulated_present']) this.addSql(`drop function if exists ${name}`);
    this.addSql('drop table if exists simulated_target, holder, credential, access_grant, job');
    for (const statement of dropPlatformTables) this.addSql(statement);
  }
}
