import { Migration } from '@mikro-orm/migrations';

/** Mails that tell of something instead of bringing a link. */
export class Alerts extends Migration {
  override up(): void {
    this.addSql('alter table mail add column about jsonb');
  }

  override down(): void {
    this.addSql('delete from mail where about is not null');
    this.addSql('alter table mail drop column about');
  }
}
