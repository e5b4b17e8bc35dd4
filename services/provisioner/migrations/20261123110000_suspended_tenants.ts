import { Migration } from '@mikro-orm/migrations';

const endReasons = (reasons: string) => `alter table access_grant drop constraint access_grant_end_reason_check,
  add constraint access_grant_end_reason_check check (end_reason in (${reasons}))`;

/** Access ends with the suspension of a tenant, whose creation may not have been heard of yet. */
export class SuspendedTenants extends Migration {
  override up(): void {
    this.addSql(
      'alter table tenant alter slug drop not null, add column suspended boolean not null default false, add column version integer not null default 0',
    );
    this.addSql(endReasons(`'EXPIRY', 'WITHDRAWN', 'REVOKED', 'USER_DEACTIVATED', 'TENANT_SUSPENDED'`));
  }

  override down(): void {
    this.addSql(`update access_grant set end_reason = 'REVOKED' where end_reason = 'TENANT_SUSPENDED'`);
    this.addSql(endReasons(`'EXPIRY', 'WITHDRAWN', 'REVOKED', 'USER_DEACTIVATED'`));
    this.addSql('delete from tenant where slug is null');
    this.addSql('alter table tenant alter slug set not null, drop column suspended, drop column version');
  }
}
