import { Migration } from '@mikro-orm/migrations';

const tables = [
  // What Keycloak and we agreed on last; `due_at` is set while they may differ, `changed` counts
  // what has happened since, and `leased_until` keeps two processes from settling it at once.
  `create table keycloak_account (
    account_id uuid primary key references account (id),
    settled jsonb not null,
    changed bigint not null,
    attempts integer not null,
    due_at timestamptz(3),
    leased_until timestamptz(3)
  )`,
  'create index keycloak_account_due on keycloak_account (due_at) where due_at is not null',

  // A user that is being made in Keycloak; gone in the transaction that adds the account.
  `create table keycloak_draft (
    id uuid primary key,
    email text not null unique check (email = lower(email)),
    created_at timestamptz(3) not null,
    abandoned_at timestamptz(3)
  )`,

  // Up to when Keycloak's events have been heard, in milliseconds of its clock.
  'create table keycloak_watch (realm text primary key, heard_until bigint not null)',

  "alter table session add column provider_session text not null default ''",
  'alter table session add column provider_ended_at timestamptz(3)',
  `create index session_to_end on session (ended_at) where ended_at is not null and provider_ended_at is null and provider_session <> ''`,
  'alter table session drop constraint session_end_reason_check',
  `alter table session add constraint session_end_reason_check check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED', 'PASSWORD_CHANGED', 'PROVIDER'))`,
];

// The database notes what Keycloak has yet to be told, so that no use case can forget it. Without Keycloak there are no such rows.
const triggers = [
  `create function keycloak_note() returns trigger language plpgsql security invoker as $$
  begin
    update keycloak_account set changed = changed + 1, attempts = 0, due_at = now() where account_id = new.id;
    return null;
  end $$`,
  `create trigger keycloak_note after update of active, first_name, last_name, realm_roles on account
    for each row execute function keycloak_note()`,
  `create trigger keycloak_note after insert or update of active, org_roles on app_user for each row execute function keycloak_note()`,
];

/** What the Keycloak provider remembers. */
export class Keycloak extends Migration {
  override up(): void {
    for (const sql of [...tables, ...triggers]) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop trigger if exists keycloak_note on app_user');
    this.addSql('drop trigger if exists keycloak_note on account');
    this.addSql('drop function if exists keycloak_note()');
    this.addSql(`update session set end_reason = 'LOGOUT' where end_reason = 'PROVIDER'`);
    this.addSql('alter table session drop constraint session_end_reason_check');
    this.addSql(
      `alter table session add constraint session_end_reason_check check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED', 'PASSWORD_CHANGED'))`,
    );
    this.addSql('drop index if exists session_to_end');
    this.addSql('alter table session drop column provider_ended_at, drop column provider_session');
    this.addSql('drop table if exists keycloak_watch, keycloak_draft, keycloak_account');
  }
}
