import { Migration } from '@mikro-orm/migrations';

const kinds = (ofRequests: string, others: string) => `alter table job
  drop constraint job_kind_check, add constraint job_kind_check check (kind in (${ofRequests}, ${others})),
  drop constraint job_of_request, add constraint job_of_request check ((request_id is not null) = (kind in (${ofRequests})))`;
const oneUnfinished = (index: string, names: string) =>
  `create unique index ${index} on job (grant_id) where kind in (${names}) and status in ('QUEUED', 'RUNNING')`;

/** Credentials are issued anew: jobs at access that is there, whose attempts count on from those that made it. */
export class Reissue extends Migration {
  override up(): void {
    // The owner of the tables is held to row-level security as well.
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(kinds(`'PROVISION', 'ROTATE', 'REAPPLY', 'REVOKE'`, `'REPORT'`));
    this.addSql('alter table job add column fence integer not null default 0');
    this.addSql(`update job set fence = case kind when 'REVOKE' then 2147483647 else attempts end where status in ('QUEUED', 'RUNNING')`);
    // No job that makes access comes near the first number.
    this.addSql('create sequence access_fence as integer start 1000000 maxvalue 2147483646');
    this.addSql('drop index job_one_reapplication');
    this.addSql(oneUnfinished('job_one_renewal', `'ROTATE', 'REAPPLY'`));
    this.addSql(`create index job_renewal on job (grant_id) where kind in ('ROTATE', 'REAPPLY')`);
  }

  override down(): void {
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(`delete from job_answer where job_id in (select id from job where kind = 'ROTATE')`);
    this.addSql(`delete from job where kind = 'ROTATE'`);
    this.addSql('drop index job_renewal');
    this.addSql('drop index job_one_renewal');
    this.addSql(oneUnfinished('job_one_reapplication', `'REAPPLY'`));
    this.addSql('drop sequence access_fence');
    this.addSql('alter table job drop column fence');
    this.addSql(kinds(`'PROVISION', 'REVOKE', 'REAPPLY'`, `'REPORT'`));
  }
}
