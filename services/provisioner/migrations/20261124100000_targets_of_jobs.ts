import { Migration } from '@mikro-orm/migrations';

const waiting = `status in ('QUEUED', 'RUNNING')`;

/** Queues with room of their own, and targets that take so many jobs at a time. */
export class TargetsOfJobs extends Migration {
  override up(): void {
    // What is on its way already goes by its queue alone.
    this.addSql('alter table job add column target text');
    // A row to lock while places at a target are counted and given away; of no tenant, since several may use one login.
    this.addSql('create table job_target (name text primary key)');
    this.addSql('drop index job_due');
    this.addSql(`create index job_due on job (queue, due_at) where ${waiting} and target is null`);
    this.addSql(`create index job_due_at_target on job (target, queue, due_at) where ${waiting} and target is not null`);
  }

  override down(): void {
    this.addSql('drop index job_due, job_due_at_target');
    this.addSql('drop table job_target');
    this.addSql('alter table job drop column target');
    this.addSql(`create index job_due on job ((case queue when 'high' then 0 when 'default' then 1 else 2 end), due_at) where ${waiting}`);
  }
}
