import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  // Of the nil tenant: global values. A secret is sealed, everything else is JSON; neither: taken back, and only the version goes on.
  `create table setting (
    tenant_id uuid not null,
    key text not null,
    value text check (value is json),
    sealed bytea,
    version integer not null,
    updated_at timestamptz(3) not null,
    primary key (tenant_id, key),
    check (value is null or sealed is null)
  )`,
  ...tenantTable('setting', { acrossTenants: true }),
  // A tenant has to see what counts where it has no value of its own.
  `create policy global_value on setting for select using (tenant_id = '00000000-0000-0000-0000-000000000000')`,

  `create table feature_flag (
    id uuid primary key,
    tenant_id uuid not null references tenant (id),
    name text not null,
    description text not null,
    enabled boolean not null,
    version integer not null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null
  )`,
  'create unique index feature_flag_name on feature_flag (tenant_id, name)',
  ...tenantTable('feature_flag', { acrossTenants: true }),

  // last_sync_*: the newest event of Stripe that was about this tenant.
  `create table license (
    tenant_id uuid primary key references tenant (id),
    tier text not null check (tier in ('free', 'team', 'enterprise')),
    flags text[] not null,
    version integer not null,
    updated_at timestamptz(3) not null,
    last_sync_at timestamptz(3),
    last_sync_status text,
    last_sync_event text,
    check ((last_sync_at is null) = (last_sync_status is null) and (last_sync_at is null) = (last_sync_event is null))
  )`,
  ...tenantTable('license', { acrossTenants: true }),
  `insert into license (tenant_id, tier, flags, version, updated_at) select id, 'free', '{}', 1, now() from tenant`,

  // The newest state of each subscription that we know; the license is made of those that are paid for.
  `create table stripe_subscription (
    id text primary key,
    tenant_id uuid not null references tenant (id),
    customer_id text not null,
    status text not null,
    tier text not null check (tier in ('free', 'team', 'enterprise')),
    flags text[] not null,
    event_id text not null,
    event_at timestamptz(3) not null
  )`,
  'create index stripe_subscription_tenant on stripe_subscription (tenant_id)',
  'create index stripe_subscription_customer on stripe_subscription (customer_id)',
  ...tenantTable('stripe_subscription', { acrossTenants: true }),

  // What was handled: Stripe delivers at least once.
  `create table stripe_event (
    id text primary key,
    tenant_id uuid not null references tenant (id),
    received_at timestamptz(3) not null
  )`,
  'create index stripe_event_tenant on stripe_event (tenant_id, received_at)',
  ...tenantTable('stripe_event', { acrossTenants: true }),
];

// Called within the statement that resolves a principal, which has opened all tenants by then. Flags of the license have a prefix
// that no feature flag can have: a tenant must not be able to give itself what it has to pay for.
const entitlements = `create function entitlements(tenant uuid) returns table (license_tier text, flags text[])
  language plpgsql stable security invoker
  as $$
  begin
    return query select l.tier,
        array(select f.name from feature_flag f where f.tenant_id = tenant and f.enabled order by f.name)
        || array(select 'license.' || flag from unnest(l.flags) as flag order by flag)
      from license l where l.tenant_id = tenant;
  end $$`;

/** Settings, feature flags, and licenses with what Stripe has told of them. */
export class Settings extends Migration {
  override up(): void {
    for (const sql of [...tables, entitlements]) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop function if exists entitlements(uuid)');
    this.addSql('drop table if exists stripe_event, stripe_subscription, license, feature_flag, setting');
  }
}
