import { Migration } from '@mikro-orm/migrations';

/** What requests and resources can be filtered and sorted by, besides what was there. */
export class Filters extends Migration {
  override up(): void {
    this.addSql('create index access_request_job on access_request (tenant_id, job_id) where job_id is not null');
    this.addSql('create index access_request_grant on access_request (tenant_id, grant_id) where grant_id is not null');
    this.addSql('create index resource_owner on resource (tenant_id, owner_id, id)');
    this.addSql('create index resource_updated on resource (tenant_id, updated_at, id)');
  }

  override down(): void {
    this.addSql('drop index access_request_job, access_request_grant, resource_owner, resource_updated');
  }
}
