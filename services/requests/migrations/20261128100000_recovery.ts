import { recoveryTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

/** Remembers when the database was restored. */
export class Recovery extends Migration {
  override up(): void {
    for (const sql of recoveryTable('requests')) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop table recovery');
  }
}
