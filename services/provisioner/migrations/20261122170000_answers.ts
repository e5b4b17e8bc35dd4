import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

/** Targets that answer later: how long a job has waited, and what it has been told, sealed like a credential, until an attempt takes it. */
export class Answers extends Migration {
  override up(): void {
    this.addSql('alter table job add column waiting_since timestamptz(3)');
    this.addSql(
      `create table job_answer (
        job_id uuid primary key references job (id),
        tenant_id uuid not null,
        fence integer not null,
        key_id text not null,
        data_key bytea not null,
        iv bytea not null,
        ciphertext bytea not null,
        tag bytea not null
      )`,
    );
    this.addSql('create index job_answer_tenant on job_answer (tenant_id)');
    for (const sql of tenantTable('job_answer', { acrossTenants: true })) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table job_answer');
    this.addSql('alter table job drop column waiting_since');
  }
}
