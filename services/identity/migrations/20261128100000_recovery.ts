import { recoveryTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

/** Remembers when the database was restored; sessions end then. */
export class Recovery extends Migration {
  override up(): void {
    for (const sql of recoveryTable('identity')) this.addSql(sql);
    this.addSql('alter table session drop constraint session_end_reason_check');
    this.addSql(
      `alter table session add constraint session_end_reason_check
       check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED', 'PASSWORD_CHANGED', 'PROVIDER', 'RECOVERED'))`,
    );
  }

  override down(): void {
    this.addSql(`update session set end_reason = 'LOGOUT' where end_reason = 'RECOVERED'`);
    this.addSql('alter table session drop constraint session_end_reason_check');
    this.addSql(
      `alter table session add constraint session_end_reason_check
       check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED', 'PASSWORD_CHANGED', 'PROVIDER'))`,
    );
    this.addSql('drop table recovery');
  }
}
