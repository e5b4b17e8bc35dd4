import { Migration } from '@mikro-orm/migrations';

/** What jobs have done, step by step. */
export class Steps extends Migration {
  override up(): void {
    this.addSql(`alter table job add column steps jsonb not null default '[]'`);
  }

  override down(): void {
    this.addSql('alter table job drop column steps');
  }
}
