import { tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  // Of a service account's request: who might have filed it. Null or empty: a person filed it.
  'alter table approval_case add column custodian_ids text[]',
  // What is known here of service accounts: the newest of identity's snapshots.
  `create table service_account (
    tenant_id uuid not null,
    id uuid not null,
    custodian_ids text[] not null,
    version integer not null,
    primary key (tenant_id, id)
  )`,
  ...tenantTable('service_account'),
];

// As the function of three parameters, and who may act as the requester now. That one stays for the version that calls it.
const readStanding = `create function read_standing(tenant uuid, request uuid, caller uuid, requester uuid) returns table (
    status text, version integer, stages jsonb, votes jsonb, people jsonb, custodians jsonb
  ) language plpgsql as $$
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      return query
        select s.status, s.version, s.stages, s.votes, s.people,
          coalesce((select to_jsonb(a.custodian_ids) from service_account a where a.tenant_id = tenant and a.id = requester), '[]')
        from read_standing(tenant, request, caller) s;
    end $$`;

/** The people behind service accounts, who do not decide on what those ask for. */
export class Custodians extends Migration {
  override up(): void {
    for (const sql of [...tables, readStanding]) this.addSql(sql);
  }

  override down(): void {
    this.addSql('drop function read_standing(uuid, uuid, uuid, uuid)');
    this.addSql('drop table service_account');
    this.addSql('alter table approval_case drop column custodian_ids');
  }
}
