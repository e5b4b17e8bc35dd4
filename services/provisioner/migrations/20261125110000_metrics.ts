import { Migration } from '@mikro-orm/migrations';

/** What is counted over all tenants, again and again: few rows each. */
export class Metrics extends Migration {
  override up(): void {
    this.addSql(`create index access_grant_ending on access_grant (expires_at) where status in ('REVOKING', 'REVOKE_FAILED')`);
    this.addSql(`create index job_failed on job (kind) where status = 'FAILED'`);
  }

  override down(): void {
    this.addSql('drop index job_failed');
    this.addSql('drop index access_grant_ending');
  }
}
