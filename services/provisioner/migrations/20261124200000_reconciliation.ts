import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const kinds = (list: string) => `alter table job drop constraint job_kind_check, add constraint job_kind_check check (kind in (${list}))`;

/** What targets are compared with: resources that access was given to, and the runs that look at them. */
export class Reconciliation extends Migration {
  override up(): void {
    this.addSql(
      `create table reconciled_resource (
        tenant_id uuid not null,
        resource_id uuid not null,
        looked_at timestamptz(3) not null,
        primary key (tenant_id, resource_id)
      )`,
    );
    this.addSql('create index reconciled_resource_looked on reconciled_resource (looked_at)');
    this.addSql(
      `create table reconciliation (
        id uuid primary key,
        tenant_id uuid not null,
        resource_id uuid not null,
        status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UNSUPPORTED')),
        by_hand boolean not null,
        origin jsonb not null,
        attempts integer not null default 0,
        due_at timestamptz(3) not null,
        created_at timestamptz(3) not null,
        started_at timestamptz(3),
        finished_at timestamptz(3),
        missing jsonb not null default '[]',
        surplus jsonb not null default '[]',
        others jsonb not null default '[]',
        error text
      )`,
    );
    this.addSql(
      `create unique index reconciliation_one_open on reconciliation (tenant_id, resource_id) where status in ('QUEUED', 'RUNNING')`,
    );
    this.addSql(`create index reconciliation_due on reconciliation (due_at) where status in ('QUEUED', 'RUNNING')`);
    this.addSql('create index reconciliation_latest on reconciliation (tenant_id, resource_id, created_at, id)');
    for (const table of ['reconciled_resource', 'reconciliation']) {
      for (const sql of tenantTable(table, { acrossTenants: true })) this.addSql(sql);
    }
    // The owner of the tables is held to row-level security as well.
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(
      'insert into reconciled_resource (tenant_id, resource_id, looked_at) select distinct tenant_id, resource_id, now() from access_grant',
    );
    this.addSql(kinds(`'PROVISION', 'REVOKE', 'REAPPLY'`));
    this.addSql(
      `create function simulated_list(of_tenant uuid, at_resource text) returns table (key uuid, username text) language plpgsql as $$
       begin
         perform set_config('app.tenant_id', of_tenant::text, true);
         return query select t.key, t.username from simulated_target as t
           where t.tenant_id = of_tenant and t.resource_key = at_resource and t.present order by t.key;
       end $$`,
    );
    this.addSql(`create unique index job_one_reapplication on job (grant_id) where kind = 'REAPPLY' and status in ('QUEUED', 'RUNNING')`);
  }

  override down(): void {
    this.addSql('drop function simulated_list');
    this.addSql('drop index job_one_reapplication');
    this.addSql(`select set_config('app.all_tenants', 'on', true)`);
    this.addSql(`delete from job_answer where job_id in (select id from job where kind = 'REAPPLY')`);
    this.addSql(`delete from job where kind = 'REAPPLY'`);
    this.addSql(kinds(`'PROVISION', 'REVOKE'`));
    this.addSql('drop table reconciliation, reconciled_resource');
  }
}
