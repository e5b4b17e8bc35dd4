import { recoveryTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

// Targets refuse an attempt with a smaller number than they have heard, and may have heard of attempts that are lost: an unfinished job
// begins anew as after an admin's retry (or goes on clearing up), and what is counted for all jobs takes a leap.
const riseAbove = `create function rise_above_lost_attempts() returns trigger language plpgsql set search_path = provisioner as $$
  begin
    perform setval('access_fence', (select last_value + 1000000 from access_fence));
    update job set unsure = true,
        attempts = case when attempts > max_attempts then attempts + 5 else max_attempts end,
        max_attempts = case when attempts > max_attempts then max_attempts else max_attempts + 5 end
      where status in ('QUEUED', 'RUNNING') and max_attempts is not null;
    return null;
  end $$`;

/** Remembers when the database was restored. */
export class Recovery extends Migration {
  override up(): void {
    for (const sql of recoveryTable('provisioner')) this.addSql(sql);
    this.addSql(riseAbove);
    this.addSql(
      'create trigger rise_above_lost_attempts after insert on recovery for each row execute function rise_above_lost_attempts()',
    );
  }

  override down(): void {
    this.addSql('drop table recovery');
    this.addSql('drop function rise_above_lost_attempts()');
  }
}
