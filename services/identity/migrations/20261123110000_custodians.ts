import { Migration } from '@mikro-orm/migrations';

const nobody = '00000000-0000-0000-0000-000000000000';

const columns = [
  // The defaults are for the version before, which may still be running.
  `alter table service_account add column owner_id uuid not null default '${nobody}', add column created_by uuid not null default '${nobody}'`,
  `alter table api_key add column holder_ids uuid[] not null default '{}'`,
  // Who made what was there before is not known here: an admin answers for it from now on.
  `select set_config('app.all_tenants', 'on', true)`,
  `update service_account s set (owner_id, created_by) = (
     select u.id, u.id from app_user u where u.tenant_id = s.tenant_id
      order by u.active and 'admin' = any(u.org_roles) desc, u.created_at limit 1)`,
  'update api_key k set holder_ids = array[s.owner_id] from service_account s where s.id = k.service_account_id',
  'create index service_account_by_owner on service_account (tenant_id, owner_id, id)',
];

const custodians = `create function custodians_of(tenant uuid, account uuid) returns jsonb language sql stable security invoker as $$
    select coalesce(jsonb_agg(distinct c.person), '[]') from (
      select unnest(array[s.owner_id, s.created_by]) as person from service_account s where s.tenant_id = tenant and s.id = account
      union all
      select unnest(k.holder_ids) from api_key k where k.tenant_id = tenant and k.service_account_id = account
    ) c
  $$`;

const resolveApiKey = (more: { column: string; value: string }) => `create function resolve_api_key(key uuid, at timestamptz)
  returns table (
    hash bytea, expires_at timestamptz, last_used_at timestamptz, account_id uuid, account_name text, scopes text[],
    tenant_id uuid, slug text, name text, domain text, status text, version integer, created_at timestamptz${more.column}
  )
  language plpgsql security invoker as $$
  #variable_conflict use_column
  begin
    perform set_config('app.all_tenants', 'on', true);
    return query select k.hash, k.expires_at, k.last_used_at, s.id, s.name, s.scopes,
           t.id, t.slug, t.name, t.domain, t.status, t.version, t.created_at${more.value}
      from api_key k
      join service_account s on s.tenant_id = k.tenant_id and s.id = k.service_account_id
      join tenant t on t.id = k.tenant_id
     where k.id = key and k.expires_at > at;
  end $$`;

/** Who answers for a service account and who made it, and who has had a key of it in hand. */
export class Custodians extends Migration {
  override up(): void {
    for (const sql of columns) this.addSql(sql);
    this.addSql(custodians);
    this.addSql('drop function resolve_api_key(uuid, timestamptz)');
    this.addSql(resolveApiKey({ column: ', custodian_ids jsonb', value: ', custodians_of(s.tenant_id, s.id)' }));
  }

  override down(): void {
    this.addSql('drop function resolve_api_key(uuid, timestamptz)');
    this.addSql(resolveApiKey({ column: '', value: '' }));
    this.addSql('drop function custodians_of(uuid, uuid)');
    this.addSql('alter table api_key drop column holder_ids');
    this.addSql('alter table service_account drop column owner_id, drop column created_by');
  }
}
