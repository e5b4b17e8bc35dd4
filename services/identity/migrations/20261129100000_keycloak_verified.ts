import { Migration } from '@mikro-orm/migrations';

const trigger = (columns: string) => [
  'drop trigger if exists keycloak_note on account',
  `create trigger keycloak_note after update of ${columns} on account for each row execute function keycloak_note()`,
];

/** Whether an address is verified, which Keycloak is told; until now it took all that we made for verified. */
export class KeycloakVerified extends Migration {
  override up(): void {
    this.addSql(`update keycloak_account set settled = settled || jsonb_build_object('verified', 'true')`);
    this.addSql(
      `update keycloak_account k set changed = changed + 1, attempts = 0, due_at = now() from account a where a.id = k.account_id and not a.verified`,
    );
    for (const sql of trigger('active, email, verified, first_name, last_name, realm_roles')) this.addSql(sql);
  }

  override down(): void {
    for (const sql of trigger('active, email, first_name, last_name, realm_roles')) this.addSql(sql);
    this.addSql(`update keycloak_account set settled = settled - 'verified'`);
  }
}
