import { Migration } from '@mikro-orm/migrations';

/** How many mails were queued for an address or by a tenant in an hour; of no tenant, like the mails themselves. */
export class MailCount extends Migration {
  override up(): void {
    this.addSql(`create table mail_count (
      subject text not null,
      since timestamptz(3) not null,
      mails integer not null,
      primary key (subject, since)
    )`);
    this.addSql('create index mail_count_since on mail_count (since)');
    this.addSql('create index invitation_expiry on invitation (expires_at)');
  }

  override down(): void {
    this.addSql('drop index invitation_expiry');
    this.addSql('drop table mail_count');
  }
}
