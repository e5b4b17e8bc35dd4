import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const statements = [
  // Schema and config are JSON as text: they are handed on as they are, and jsonb refuses some JSON that is valid.
  `create table resource_type (
    id uuid primary key,
    tenant_id uuid not null,
    key text not null,
    name text not null,
    connector text not null,
    roles text[] not null check (cardinality(roles) > 0),
    parameters_schema text not null,
    sensitivity text not null check (sensitivity in ('low', 'medium', 'high')),
    pii boolean not null,
    max_duration text not null,
    exclusive boolean not null,
    price_per_hour jsonb,
    config text not null,
    version integer not null default 1,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    unique (tenant_id, id)
  )`,
  'create unique index resource_type_key on resource_type (tenant_id, key) where deleted_at is null',
  'create index resource_type_name on resource_type (tenant_id, name, id)',
  'create index resource_type_created on resource_type (tenant_id, created_at, id)',
  ...tenantTable('resource_type'),

  // Which teams there are, as identity tells; a removed one stays so that late news do not bring it back.
  `create table team (
    id uuid primary key,
    tenant_id uuid not null,
    version integer not null,
    removed boolean not null
  )`,
  'create index team_tenant on team (tenant_id, id)',
  ...tenantTable('team'),

  // owning_team_id: the nil UUID when no team owns it, so that lists can be sorted by it.
  `create table resource (
    id uuid primary key,
    tenant_id uuid not null,
    key text not null,
    name text not null,
    type_id uuid not null,
    owning_team_id uuid not null,
    owner_id uuid not null,
    version integer not null default 1,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    unique (tenant_id, id),
    foreign key (tenant_id, type_id) references resource_type (tenant_id, id)
  )`,
  'create unique index resource_key on resource (tenant_id, key) where deleted_at is null',
  'create index resource_name on resource (tenant_id, name, id)',
  'create index resource_type_of on resource (tenant_id, type_id, id)',
  'create index resource_owning_team on resource (tenant_id, owning_team_id, id)',
  'create index resource_created on resource (tenant_id, created_at, id)',
  ...tenantTable('resource'),

  // retry_balance: retries heard of less failures heard of; below zero the job has failed, in whatever order they were told.
  `create table access_request (
    id uuid primary key,
    tenant_id uuid not null,
    requester_id uuid not null,
    resource_id uuid not null,
    role text not null,
    justification text not null,
    duration text not null,
    parameters text not null,
    ticket text not null,
    status text not null check (status in
      ('PENDING', 'APPROVED', 'PROVISIONING', 'ACTIVE', 'EXPIRED', 'REVOKED', 'REJECTED', 'CANCELLED', 'LAPSED', 'FAILED')),
    required_approvals integer not null check (required_approvals >= 0),
    stages jsonb not null,
    job_id uuid,
    grant_id uuid,
    retry_balance integer not null,
    withdrawn_at timestamptz(3),
    version integer not null default 1,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    foreign key (tenant_id, resource_id) references resource (tenant_id, id)
  )`,
  `create unique index access_request_open on access_request (tenant_id, requester_id, resource_id, role)
    where status in ('PENDING', 'APPROVED', 'PROVISIONING')`,
  'create index access_request_created on access_request (tenant_id, created_at, id)',
  'create index access_request_updated on access_request (tenant_id, updated_at, id)',
  'create index access_request_status on access_request (tenant_id, status, created_at, id)',
  'create index access_request_requester on access_request (tenant_id, requester_id, created_at, id)',
  'create index access_request_resource on access_request (tenant_id, resource_id, created_at, id)',
  'create index access_request_role on access_request (tenant_id, role, created_at, id)',
  ...tenantTable('access_request'),

  // Plans are kept for as long as a connection lives: none is to be made for tables that happen to be empty then.
  // One round trip for the most frequent read, under row-level security like any other. Times in milliseconds since 1970.
  `create function read_request(tenant uuid, request uuid) returns table (
    requester_id uuid, resource_id uuid, role text, justification text, duration text, parameters text, ticket text, status text,
    required_approvals integer, stages jsonb, job_id uuid, grant_id uuid, version integer, created_ms float8, updated_ms float8
  ) language plpgsql set enable_seqscan = off as $$
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      return query select r.requester_id, r.resource_id, r.role, r.justification, r.duration, r.parameters, r.ticket, r.status,
        r.required_approvals, r.stages, r.job_id, r.grant_id, r.version,
        (extract(epoch from r.created_at) * 1000)::float8, (extract(epoch from r.updated_at) * 1000)::float8
        from access_request r where r.id = request;
    end $$`,

  // What filing a request depends on, in one round trip.
  `create function read_offer(tenant uuid, wanted uuid) returns table (
    resource_version integer, type_version integer, key text, owning_team_id uuid, connector text, config text, roles jsonb,
    parameters_schema text, sensitivity text, pii boolean, max_duration text
  ) language plpgsql set enable_seqscan = off as $$
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      return query select r.version, t.version, r.key, r.owning_team_id, t.connector, t.config, to_jsonb(t.roles),
        t.parameters_schema, t.sensitivity, t.pii, t.max_duration
        from resource r join resource_type t on t.id = r.type_id where r.id = wanted and r.deleted_at is null;
    end $$`,

  // Puts what is told of one request into the outbox.
  `create function tell(tenant uuid, aggregate text, told_at timestamptz, events json) returns void language plpgsql as $$
    begin
      insert into outbox_event (event_id, tenant_id, type, aggregate_id, payload, headers, created_at)
        select e.id, tenant, e.type, aggregate, decode(e.payload, 'base64'), e.headers, told_at
        from json_to_recordset(events) as e (id uuid, type text, payload text, headers jsonb);
    end $$`,

  // Takes a request out of PENDING with what is told of it; answers its new version. Of everybody who tries, one gets through: null when it
  // waits no longer, or when its resource or type is not what the events were made for (versions of null are not looked at).
  `create function settle_request(tenant uuid, request uuid, outcome text, resource_version integer, type_version integer,
                                  settled_at timestamptz, events json) returns integer language plpgsql set enable_seqscan = off as $$
    declare settled integer;
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      update access_request r set status = outcome, version = r.version + 1, updated_at = settled_at
        from resource s join resource_type t on t.id = s.type_id
        where r.id = request and r.status = 'PENDING' and s.id = r.resource_id
          and (settle_request.resource_version is null
            or s.version = settle_request.resource_version and t.version = settle_request.type_version)
        returning r.version into settled;
      if found then
        perform tell(tenant, request::text, settled_at, events);
      end if;
      return settled;
    end $$`,

  // Files a request and what is told of it in one round trip. STALE: the resource or its type is not what the plan was made for;
  // the lock keeps the resource from being deleted meanwhile. OPEN: there is one already.
  `create function file_request(filed json, resource_version integer, type_version integer, events json) returns text
  language plpgsql set enable_seqscan = off as $$
    begin
      perform set_config('app.tenant_id', filed->>'tenant_id', true);
      perform from resource r join resource_type t on t.id = r.type_id
        where r.id = (filed->>'resource_id')::uuid and r.deleted_at is null
          and r.version = file_request.resource_version and t.version = file_request.type_version
        for key share of r;
      if not found then
        return 'STALE';
      end if;
      insert into access_request select * from json_populate_record(null::access_request, filed)
        on conflict (tenant_id, requester_id, resource_id, role) where status in ('PENDING', 'APPROVED', 'PROVISIONING') do nothing;
      if not found then
        return 'OPEN';
      end if;
      perform tell((filed->>'tenant_id')::uuid, filed->>'id', (filed->>'created_at')::timestamptz, events);
      return 'FILED';
    end $$`,
];

/** The catalog, requests, what is known of teams, and the tables every service has. */
export class Initial extends Migration {
  override up(): void {
    for (const statement of [...statements, ...platformTables]) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop function if exists read_request, read_offer, file_request, settle_request, tell');
    this.addSql('drop table if exists access_request, resource, team, resource_type');
    for (const statement of dropPlatformTables) this.addSql(statement);
  }
}
