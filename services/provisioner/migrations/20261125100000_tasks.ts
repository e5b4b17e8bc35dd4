import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const kinds = (names: string) => `alter table job drop constraint job_kind_check, add constraint job_kind_check check (kind in (${names}))`;

/** Jobs that belong to no request, and the reports that some of them make. */
export class Tasks extends Migration {
  override up(): void {
    this.addSql('alter table job alter request_id drop not null');
    this.addSql(kinds(`'PROVISION', 'REVOKE', 'REAPPLY', 'REPORT'`));
    this.addSql(
      `alter table job add constraint job_of_request check ((request_id is not null) = (kind in ('PROVISION', 'REVOKE', 'REAPPLY')))`,
    );
    this.addSql(
      `create table report (
        id uuid primary key,
        tenant_id uuid not null,
        job_id uuid not null constraint report_job unique references job (id),
        kind text not null check (kind in ('grants', 'jobs')),
        format text not null check (format in ('csv', 'json')),
        since timestamptz(3),
        until timestamptz(3) not null,
        requested_by uuid not null,
        rows integer,
        bytes bigint,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        removed_at timestamptz(3)
      )`,
    );
    this.addSql('create index report_created on report (tenant_id, created_at, id)');
    this.addSql('create index report_expiry on report (expires_at) where removed_at is null');
    for (const sql of tenantTable('report', { acrossTenants: true })) this.addSql(sql);
    // How far a report has got is its job's to say.
    this.addSql(
      `create view report_with_status with (security_invoker) as
         select report.*, finished_at,
           case when removed_at is not null then 'EXPIRED' when status = 'SUCCEEDED' then 'READY' when status = 'FAILED' then 'FAILED'
             else 'PENDING' end as status
         from report join job on job.id = report.job_id and job.tenant_id = report.tenant_id`,
    );
  }

  override down(): void {
    // The owner of the tables is held to row-level security as well.
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql('drop view report_with_status');
    this.addSql('drop table report');
    this.addSql(`delete from job where request_id is null`);
    this.addSql('alter table job drop constraint job_of_request, alter request_id set not null');
    this.addSql(kinds(`'PROVISION', 'REVOKE', 'REAPPLY'`));
  }
}
