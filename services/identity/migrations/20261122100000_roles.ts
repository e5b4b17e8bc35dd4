import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  `create table role (
    id uuid primary key,
    tenant_id uuid not null references tenant (id),
    name text not null,
    description text not null,
    system boolean not null,
    permissions text[] not null,
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    unique (tenant_id, id),
    check (not system or permissions = '{}')
  )`,
  'create unique index role_name on role (tenant_id, lower(name))',
  'create index role_by_name on role (tenant_id, name, id)',
  'create index role_created on role (tenant_id, created_at, id)',
  ...tenantTable('role', { acrossTenants: true }),

  // Who has which custom role; the roles of the platform stand in app_user.org_roles. A role that somebody has cannot be deleted.
  `create table role_assignment (
    tenant_id uuid not null,
    user_id uuid not null,
    role_id uuid not null,
    primary key (tenant_id, user_id, role_id),
    foreign key (tenant_id, user_id) references app_user (tenant_id, id),
    constraint role_assignment_role foreign key (tenant_id, role_id) references role (tenant_id, id)
  )`,
  'create index role_assignment_of_role on role_assignment (tenant_id, role_id)',
  ...tenantTable('role_assignment', { acrossTenants: true }),

  `create table service_account (
    id uuid primary key,
    tenant_id uuid not null references tenant (id),
    name text not null,
    description text not null,
    scopes text[] not null,
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    unique (tenant_id, id)
  )`,
  'create unique index service_account_name on service_account (tenant_id, lower(name))',
  'create index service_account_by_name on service_account (tenant_id, name, id)',
  'create index service_account_created on service_account (tenant_id, created_at, id)',
  ...tenantTable('service_account', { acrossTenants: true }),

  `create table api_key (
    id uuid primary key,
    tenant_id uuid not null,
    service_account_id uuid not null,
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    last_used_at timestamptz(3),
    foreign key (tenant_id, service_account_id) references service_account (tenant_id, id) on delete cascade
  )`,
  'create index api_key_account on api_key (tenant_id, service_account_id, created_at, id)',
  ...tenantTable('api_key', { acrossTenants: true }),
];

// Every tenant has the roles of the platform, whichever way it was made: they are there to be read, and their names are taken.
const systemRoles = [
  `create function add_system_roles(tenant uuid, at timestamptz) returns void language sql security invoker as $$
    insert into role (id, tenant_id, name, description, system, permissions, version, created_at, updated_at)
    select gen_random_uuid(), tenant, r.name, r.description, true, '{}', 1, at, at
      from (values ('admin', 'Runs the organisation'), ('manager', 'Looks after resources and their types'),
                   ('approver', 'Decides on requests'), ('requester', 'Asks for access'),
                   ('auditor', 'Reads everything, changes nothing')) as r (name, description)
  $$`,
  `create function add_system_roles_of_new_tenant() returns trigger language plpgsql security invoker as $$
  begin
    perform add_system_roles(new.id, new.created_at);
    return null;
  end $$`,
  'create trigger tenant_system_roles after insert on tenant for each row execute function add_system_roles_of_new_tenant()',
  `select set_config('app.all_tenants', 'on', true)`,
  'select add_system_roles(id, created_at) from tenant',
];

// Both are one statement of their own, at whose end the setting is over.
const functions = [
  `create function resolve_permissions(tenant uuid, person uuid) returns text[]
  language plpgsql security invoker as $$
  begin
    perform set_config('app.all_tenants', 'on', true);
    return (select coalesce(array_agg(distinct p order by p), '{}')
              from role_assignment a
              join role r on r.tenant_id = a.tenant_id and r.id = a.role_id
             cross join unnest(r.permissions) as p
             where a.tenant_id = tenant and a.user_id = person);
  end $$`,
  `create function resolve_api_key(key uuid, at timestamptz)
  returns table (
    hash bytea, expires_at timestamptz, last_used_at timestamptz, account_id uuid, account_name text, scopes text[],
    tenant_id uuid, slug text, name text, domain text, status text, version integer, created_at timestamptz
  )
  language plpgsql security invoker as $$
  #variable_conflict use_column
  begin
    perform set_config('app.all_tenants', 'on', true);
    return query select k.hash, k.expires_at, k.last_used_at, s.id, s.name, s.scopes,
           t.id, t.slug, t.name, t.domain, t.status, t.version, t.created_at
      from api_key k
      join service_account s on s.tenant_id = k.tenant_id and s.id = k.service_account_id
      join tenant t on t.id = k.tenant_id
     where k.id = key and k.expires_at > at;
  end $$`,
  `create function touch_api_key(key uuid, at timestamptz) returns void
  language plpgsql security invoker as $$
  begin
    perform set_config('app.all_tenants', 'on', true);
    update api_key set last_used_at = at where id = key and (last_used_at is null or last_used_at <= at - interval '1 minute');
  end $$`,
];

/** Custom roles and who has them, service accounts and their keys. */
export class Roles extends Migration {
  override up(): void {
    for (const sql of [...tables, ...systemRoles, ...functions]) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop function touch_api_key(uuid, timestamptz)');
    this.addSql('drop function resolve_api_key(uuid, timestamptz)');
    this.addSql('drop function resolve_permissions(uuid, uuid)');
    this.addSql('drop trigger tenant_system_roles on tenant');
    this.addSql('drop function add_system_roles_of_new_tenant()');
    this.addSql('drop function add_system_roles(uuid, timestamptz)');
    this.addSql('drop table api_key, service_account, role_assignment, role');
  }
}
