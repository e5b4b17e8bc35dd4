import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

/** What real targets need: attempts whose outcome is unknown, and the names of tenants. */
export class Targets extends Migration {
  override up(): void {
    this.addSql('alter table job add column unsure boolean not null default false');
    this.addSql('create table tenant (tenant_id uuid primary key, slug text not null)');
    for (const sql of tenantTable('tenant', { acrossTenants: true })) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table tenant');
    this.addSql('alter table job drop column unsure');
  }
}
