import { Migration } from '@mikro-orm/migrations';

/** TOTP and recovery codes of accounts, which belong to no tenant, and until when a session counts as proved by them. */
export class SecondFactor extends Migration {
  override up(): void {
    this.addSql(`create table totp (
      account_id uuid primary key references account (id),
      secret bytea not null,
      created_at timestamptz(3) not null,
      confirmed_at timestamptz(3),
      last_step bigint not null default 0,
      attempts integer not null default 0,
      attempts_since timestamptz(3) not null
    )`);
    this.addSql(`create table recovery_code (
      account_id uuid not null references totp (account_id) on delete cascade,
      hash bytea not null,
      used_at timestamptz(3),
      primary key (account_id, hash)
    )`);
    this.addSql('alter table session add column second_factor_at timestamptz(3)');
  }

  override down(): void {
    this.addSql('alter table session drop column second_factor_at');
    this.addSql('drop table recovery_code, totp');
  }
}
