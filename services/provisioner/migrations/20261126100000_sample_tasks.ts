import { Migration } from '@mikro-orm/migrations';

const accessKinds = `'PROVISION', 'EXTEND', 'ROTATE', 'REAPPLY', 'REVOKE'`;
const kinds = (taskKinds: string) =>
  `alter table job drop constraint job_kind_check, add constraint job_kind_check check (kind in (${accessKinds}, ${taskKinds}))`;

/** Mails to whoever has joined, and what a new tenant begins with: one job each, whatever is told twice. */
export class SampleTasks extends Migration {
  override up(): void {
    this.addSql(kinds(`'REPORT', 'WELCOME_MAIL', 'TENANT_DEFAULTS'`));
    this.addSql(`create unique index job_one_welcome on job (tenant_id, requester_id) where kind = 'WELCOME_MAIL'`);
    this.addSql(`create unique index job_one_defaults on job (tenant_id) where kind = 'TENANT_DEFAULTS'`);
  }

  override down(): void {
    // The owner of the tables is held to row-level security as well.
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql('drop index job_one_defaults');
    this.addSql('drop index job_one_welcome');
    this.addSql(`delete from job where kind in ('WELCOME_MAIL', 'TENANT_DEFAULTS')`);
    this.addSql(kinds(`'REPORT'`));
  }
}
