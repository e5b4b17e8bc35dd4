import { Migration } from '@mikro-orm/migrations';

const kinds = (ofRequests: string, others: string) => `alter table job
  drop constraint job_kind_check, add constraint job_kind_check check (kind in (${ofRequests}, ${others})),
  drop constraint job_of_request, add constraint job_of_request check ((request_id is not null) = (kind in (${ofRequests})))`;

/**
 * Grants are extended. lasts_until: when the target is to let go by itself, which an extension moves before the grant itself.
 * credential.fence: the number of the attempt that it comes from; what an earlier one has brought does not replace it.
 */
export class ExtendedGrants extends Migration {
  override up(): void {
    this.addSql(kinds(`'PROVISION', 'EXTEND', 'ROTATE', 'REAPPLY', 'REVOKE'`, `'REPORT'`));
    this.addSql('alter table access_grant add column lasts_until timestamptz(3)');
    this.addSql('alter table credential add column fence integer not null default 0');
    this.addSql(`create unique index job_one_extension on job (tenant_id, request_id) where kind = 'EXTEND'`);
    this.addSql('drop index job_renewal');
    this.addSql(`create index job_change on job (grant_id) where kind in ('EXTEND', 'ROTATE', 'REAPPLY')`);
  }

  override down(): void {
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(`delete from job_answer where job_id in (select id from job where kind = 'EXTEND')`);
    this.addSql(`delete from job where kind = 'EXTEND'`);
    this.addSql('drop index job_change');
    this.addSql(`create index job_renewal on job (grant_id) where kind in ('ROTATE', 'REAPPLY')`);
    this.addSql('drop index job_one_extension');
    this.addSql('alter table credential drop column fence');
    this.addSql('alter table access_grant drop column lasts_until');
    this.addSql(kinds(`'PROVISION', 'ROTATE', 'REAPPLY', 'REVOKE'`, `'REPORT'`));
  }
}
