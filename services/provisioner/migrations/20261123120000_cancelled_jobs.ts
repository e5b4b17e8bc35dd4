import { Migration } from '@mikro-orm/migrations';

/** Admins cancel jobs. */
export class CancelledJobs extends Migration {
  override up(): void {
    this.addSql('alter table job add column cancelled boolean not null default false');
  }

  override down(): void {
    this.addSql('alter table job drop column cancelled');
  }
}
