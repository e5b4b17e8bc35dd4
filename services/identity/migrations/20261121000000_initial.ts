import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  // Accounts and signing keys belong to no tenant: a person logs in before anybody knows which one is meant.
  `create table account (
    id uuid primary key,
    email text not null check (email = lower(email)),
    password_hash text not null,
    realm_roles text[] not null default '{}' check (realm_roles <@ array['platform-admin', 'platform-support']),
    first_name text not null,
    last_name text not null,
    active boolean not null default true,
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null
  )`,
  'create unique index account_email on account (email)',
  `create table signing_key (
    kid text primary key,
    public_jwk jsonb not null,
    private_key bytea,
    created_at timestamptz(3) not null,
    retired_at timestamptz(3),
    check ((private_key is null) = (retired_at is not null))
  )`,

  `create table tenant (
    id uuid primary key,
    tenant_id uuid not null generated always as (id) stored,
    slug text not null check (slug ~ '^[a-z0-9-]{3,40}$'),
    name text not null,
    domain text not null,
    status text not null check (status in ('ACTIVE', 'SUSPENDED')),
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null
  )`,
  'create unique index tenant_slug on tenant (slug)',
  'create index tenant_tenant on tenant (tenant_id)',
  'create index tenant_name on tenant (name, id)',
  'create index tenant_status on tenant (status, id)',
  'create index tenant_created on tenant (created_at, id)',
  ...tenantTable('tenant', { acrossTenants: true }),

  `create table app_user (
    tenant_id uuid not null references tenant (id),
    id uuid not null,
    email text not null check (email = lower(email)),
    first_name text not null,
    last_name text not null,
    active boolean not null default true,
    org_roles text[] not null check (org_roles <@ array['admin', 'manager', 'approver', 'requester', 'auditor']),
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    primary key (tenant_id, id)
  )`,
  'create unique index app_user_email on app_user (tenant_id, email)',
  // Login looks for a person's memberships in all tenants.
  'create index app_user_person on app_user (id)',
  'create index app_user_first_name on app_user (tenant_id, first_name, id)',
  'create index app_user_last_name on app_user (tenant_id, last_name, id)',
  'create index app_user_active on app_user (tenant_id, active, id)',
  'create index app_user_created on app_user (tenant_id, created_at, id)',
  'create index app_user_updated on app_user (tenant_id, updated_at, id)',
  ...tenantTable('app_user', { acrossTenants: true }),

  `create table team (
    id uuid primary key,
    tenant_id uuid not null references tenant (id),
    name text not null,
    description text not null,
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    unique (tenant_id, id)
  )`,
  'create unique index team_name on team (tenant_id, lower(name))',
  'create index team_by_name on team (tenant_id, name, id)',
  'create index team_created on team (tenant_id, created_at, id)',
  ...tenantTable('team', { acrossTenants: true }),

  `create table team_member (
    id uuid primary key,
    tenant_id uuid not null,
    team_id uuid not null,
    user_id uuid not null,
    role text not null check (role in ('lead', 'member')),
    created_at timestamptz(3) not null,
    foreign key (tenant_id, team_id) references team (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references app_user (tenant_id, id)
  )`,
  'create unique index team_member_once on team_member (tenant_id, team_id, user_id)',
  'create index team_member_user on team_member (tenant_id, user_id)',
  ...tenantTable('team_member', { acrossTenants: true }),

  `create table session (
    id uuid primary key,
    tenant_id uuid not null,
    account_id uuid not null references account (id),
    audience text not null check (audience in ('app', 'org-admin', 'admin')),
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    ended_at timestamptz(3),
    end_reason text check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED')),
    check ((ended_at is null) = (end_reason is null))
  )`,
  'create index session_alive on session (tenant_id, account_id) where ended_at is null',
  'create index session_account on session (account_id)',
  'create index session_expiry on session (expires_at)',
  ...tenantTable('session', { acrossTenants: true }),

  `create table refresh_token (
    hash bytea primary key,
    tenant_id uuid not null,
    session_id uuid not null references session (id) on delete cascade,
    expires_at timestamptz(3) not null,
    used_at timestamptz(3)
  )`,
  'create index refresh_token_session on refresh_token (tenant_id, session_id)',
  'create index refresh_token_family on refresh_token (session_id)',
  ...tenantTable('refresh_token', { acrossTenants: true }),
];

// All that the gateway must know of a token, in one round trip: the session while it lives, the account, and of the tenant that is
// meant (the one named, else the session's, else the only one of the token) the membership and teams.
const resolvePrincipal = `create function resolve_principal(subject uuid, sid uuid, slugs text[], named text, at timestamptz)
  returns table (
    email text, account_active boolean, realm_roles text[], audience text,
    tenant_id uuid, slug text, name text, domain text, status text, version integer, created_at timestamptz,
    user_active boolean, org_roles text[], teams jsonb
  )
  language plpgsql security invoker
  as $$
  #variable_conflict use_column
  begin
    -- Until the end of the transaction, which is this one statement: a session is looked for before its tenant is known.
    perform set_config('app.all_tenants', 'on', true);
    return query select a.email, a.active, a.realm_roles, s.audience,
           t.id, t.slug, t.name, t.domain, t.status, t.version, t.created_at,
           u.active, u.org_roles,
           (select coalesce(jsonb_agg(jsonb_build_object('id', team.id, 'name', team.name, 'role', m.role) order by team.name), '[]')
              from team_member m join team on team.id = m.team_id
             where m.tenant_id = u.tenant_id and m.user_id = u.id)
      from session s
      join account a on a.id = s.account_id
      left join lateral (
        select * from tenant where slug = named and named <> ''
        union all
        select * from tenant where id = s.tenant_id and named = ''
        union all
        select * from tenant where slug = slugs[1] and cardinality(slugs) = 1 and named = ''
          and s.tenant_id = '00000000-0000-0000-0000-000000000000'
      ) t on true
      left join app_user u on u.tenant_id = t.id and u.id = a.id
     where s.id = sid and s.account_id = subject and s.ended_at is null and s.expires_at > at;
  end $$`;

/** People, tenants, teams, and the sessions and keys of the local identity provider. */
export class Initial extends Migration {
  override up(): void {
    for (const sql of [...tables, ...platformTables, resolvePrincipal]) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop function if exists resolve_principal(uuid, uuid, text[], text, timestamptz)');
    for (const sql of dropPlatformTables) this.addSql(sql);
    this.addSql('drop table if exists refresh_token, session, team_member, team, app_user, tenant, signing_key, account');
  }
}
