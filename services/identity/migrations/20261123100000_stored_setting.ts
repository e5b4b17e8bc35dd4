import { Migration } from '@mikro-orm/migrations';

// One statement of its own, or part of one that has opened all tenants already.
const storedSetting = `create function stored_setting(tenant uuid, wanted text) returns text
  language plpgsql security invoker as $$
  begin
    perform set_config('app.all_tenants', 'on', true);
    return (select s.value from setting s
             where s.key = wanted and s.tenant_id in (tenant, '00000000-0000-0000-0000-000000000000') and s.value is not null
             order by s.tenant_id = tenant desc nulls last limit 1);
  end $$`;

/** What is stored of a setting, a tenant's before the platform's, for the statement that resolves a principal. */
export class StoredSetting extends Migration {
  override up(): void {
    this.addSql(storedSetting);
  }

  override down(): void {
    this.addSql('drop function stored_setting(uuid, text)');
  }
}
