import { Migration } from '@mikro-orm/migrations';

/** What grants and jobs can be filtered and sorted by, besides what was there. */
export class Filters extends Migration {
  override up(): void {
    this.addSql('create index access_grant_ended on access_grant (tenant_id, ended_at, id)');
    this.addSql('create index job_grant on job (tenant_id, grant_id) where grant_id is not null');
    this.addSql('create index job_started on job (tenant_id, started_at, id)');
    this.addSql('create index job_finished on job (tenant_id, finished_at, id)');
  }

  override down(): void {
    this.addSql('drop index access_grant_ended, job_grant, job_started, job_finished');
  }
}
