import { Migration } from '@mikro-orm/migrations';

const up = [
  // A new password that Keycloak has still to be told, as the hash that it keeps; null when there is none.
  'alter table keycloak_account add column password_hash text',
  `update keycloak_account k set settled = settled || jsonb_build_object('email', a.email, 'secondFactor', '') from account a where a.id = k.account_id`,

  // What an authenticator app is called by in Keycloak, where the secret stands too.
  'alter table totp add column credential_id uuid not null default gen_random_uuid()',

  'drop trigger keycloak_note on account',
  `create trigger keycloak_note after update of active, email, first_name, last_name, realm_roles on account
    for each row execute function keycloak_note()`,
  `create function keycloak_note_totp() returns trigger language plpgsql security invoker as $$
  begin
    update keycloak_account set changed = changed + 1, attempts = 0, due_at = now()
     where account_id = coalesce(new.account_id, old.account_id);
    return null;
  end $$`,
  'create trigger keycloak_note after update of confirmed_at or delete on totp for each row execute function keycloak_note_totp()',

  // Part of the statement that resolves a principal, which has opened all tenants.
  `create function second_factor_lapsed(sid uuid, at timestamptz) returns boolean language plpgsql security invoker as $$
  begin
    perform set_config('app.all_tenants', 'on', true);
    return coalesce((select provider_session <> '' and (second_factor_at is null or second_factor_at <= at - interval '1 day')
                       from session where id = sid), false);
  end $$`,
];

const down = [
  'drop function if exists second_factor_lapsed(uuid, timestamptz)',
  'drop trigger if exists keycloak_note on totp',
  'drop function if exists keycloak_note_totp()',
  'drop trigger if exists keycloak_note on account',
  `create trigger keycloak_note after update of active, first_name, last_name, realm_roles on account
    for each row execute function keycloak_note()`,
  'alter table totp drop column credential_id',
  `update keycloak_account set settled = settled - 'email' - 'secondFactor'`,
  'alter table keycloak_account drop column password_hash',
];

/** Addresses, passwords and second factors that Keycloak is told. */
export class KeycloakSecrets extends Migration {
  override up(): void {
    for (const sql of up) this.addSql(sql);
  }

  override down(): void {
    for (const sql of down) this.addSql(sql);
  }
}
