import { Migration } from '@mikro-orm/migrations';

/** Credentials that are still to be read, by the key they are sealed under. */
export class KeyRotation extends Migration {
  override up(): void {
    this.addSql('create index credential_key on credential (key_id, grant_id) where key_id is not null');
  }

  override down(): void {
    this.addSql('drop index credential_key');
  }
}
