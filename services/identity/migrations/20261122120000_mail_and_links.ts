import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const up = [
  'alter table account add column verified boolean not null default false',
  'alter table app_user add column verified boolean not null default false',
  'create index app_user_verified on app_user (tenant_id, verified, id)',
  `create unique index tenant_domain on tenant (domain) where domain <> ''`,
  'alter table session drop constraint session_end_reason_check',
  `alter table session add constraint session_end_reason_check check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED', 'PASSWORD_CHANGED'))`,

  // What was mailed to a person. An account's, so of no tenant; the two sides of a change of address share its id.
  `create table link (
    id uuid primary key,
    hash bytea not null,
    kind text not null check (kind in ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL')),
    account_id uuid not null references account (id) on delete cascade,
    address text not null,
    change_id uuid,
    new_address text,
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    used_at timestamptz(3),
    check ((kind = 'CHANGE_EMAIL') = (change_id is not null) and (change_id is null) = (new_address is null))
  )`,
  'create index link_account on link (account_id, kind)',
  'create index link_change on link (change_id) where change_id is not null',
  'create index link_expiry on link (expires_at)',

  `create table invitation (
    id uuid primary key,
    tenant_id uuid not null references tenant (id),
    email text not null check (email = lower(email)),
    org_roles text[] not null,
    status text not null check (status in ('PENDING', 'ACCEPTED', 'REVOKED')),
    token_hash bytea not null,
    invited_by uuid not null,
    version integer not null,
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null
  )`,
  `create unique index invitation_open on invitation (tenant_id, email) where status = 'PENDING'`,
  'create index invitation_email on invitation (tenant_id, email, id)',
  'create index invitation_status on invitation (tenant_id, status, id)',
  'create index invitation_created on invitation (tenant_id, created_at, id)',
  'create index invitation_expires on invitation (tenant_id, expires_at, id)',
  ...tenantTable('invitation', { acrossTenants: true }),

  // What is still to be sent; what it says is looked up when it is sent. The token is sealed, and gone with the row.
  `create table mail (
    id uuid primary key,
    kind text not null,
    address text not null,
    link_id uuid,
    token bytea,
    origin jsonb not null,
    attempts integer not null default 0,
    last_error text,
    due_at timestamptz(3) not null,
    created_at timestamptz(3) not null,
    check ((link_id is null) = (token is null))
  )`,
  'create index mail_due on mail (due_at)',
];

const down = [
  'drop table mail',
  'drop table invitation',
  'drop table link',
  `update session set end_reason = 'LOGOUT' where end_reason = 'PASSWORD_CHANGED'`,
  'alter table session drop constraint session_end_reason_check',
  `alter table session add constraint session_end_reason_check check (end_reason in ('LOGOUT', 'REUSE', 'DEACTIVATED'))`,
  'drop index tenant_domain',
  'alter table app_user drop column verified',
  'alter table account drop column verified',
];

/** Mails to people, the links in them, and invitations; domains are unique. */
export class MailAndLinks extends Migration {
  override up(): void {
    for (const sql of up) this.addSql(sql);
  }

  override down(): void {
    for (const sql of down) this.addSql(sql);
  }
}
