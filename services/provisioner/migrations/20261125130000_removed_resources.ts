import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const endReasons = (reasons: string) => `alter table access_grant drop constraint access_grant_end_reason_check,
  add constraint access_grant_end_reason_check check (end_reason in (${reasons}))`;

/** Access ends with the removal of its resource, also when it is being made at that moment. */
export class RemovedResources extends Migration {
  override up(): void {
    this.addSql('create table removed_resource (tenant_id uuid not null, resource_id uuid not null, primary key (tenant_id, resource_id))');
    for (const sql of tenantTable('removed_resource', { acrossTenants: true })) this.addSql(sql);
    this.addSql(endReasons(`'EXPIRY', 'WITHDRAWN', 'REVOKED', 'USER_DEACTIVATED', 'TENANT_SUSPENDED', 'RESOURCE_REMOVED'`));
  }

  override down(): void {
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(`update access_grant set end_reason = 'REVOKED' where end_reason = 'RESOURCE_REMOVED'`);
    this.addSql(endReasons(`'EXPIRY', 'WITHDRAWN', 'REVOKED', 'USER_DEACTIVATED', 'TENANT_SUSPENDED'`));
    this.addSql('drop table removed_resource');
  }
}
