import { dropPlatformTables, platformTables, tenantTable } from '@accessops/db';
import { Migration } from '@mikro-orm/migrations';

const tables = [
  `create table approval_case (
    request_id uuid primary key,
    tenant_id uuid not null,
    requester_id uuid not null,
    requester_email text not null,
    resource_id uuid not null,
    role text not null,
    justification text not null,
    duration text not null,
    stages jsonb not null,
    open_to text[] not null,
    status text not null check (status in ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED')),
    created_at timestamptz(3) not null,
    decided_at timestamptz(3),
    version integer not null default 1
  )`,
  // Only what waits is ever listed. Arrays cannot be searched by index under row-level security (&& is not leakproof):
  // a list walks one of these in its order and looks at open_to on the way.
  `create index approval_case_waiting on approval_case (tenant_id, created_at, request_id) where status = 'PENDING'`,
  `create index approval_case_waiting_requester on approval_case (tenant_id, requester_id, created_at) where status = 'PENDING'`,
  `create index approval_case_waiting_resource on approval_case (tenant_id, resource_id, created_at) where status = 'PENDING'`,
  `create index approval_case_waiting_role on approval_case (tenant_id, role, request_id) where status = 'PENDING'`,
  `create table vote (
    tenant_id uuid not null,
    request_id uuid not null,
    decider_id uuid not null,
    decider_email text not null,
    verdict text not null check (verdict in ('APPROVE', 'REJECT')),
    comment text not null check (length(comment) <= 2000),
    stage text,
    decided_at timestamptz(3) not null,
    primary key (tenant_id, request_id, decider_id)
  )`,
  'create index vote_decider on vote (tenant_id, decider_id, request_id)',
  `create table person (
    tenant_id uuid not null,
    id uuid not null,
    email text not null,
    active boolean not null,
    org_roles text[] not null,
    team_ids text[] not null,
    version integer not null,
    primary key (tenant_id, id)
  )`,
  'create index person_email on person (tenant_id, email)',
];

const functions = [
  // All that a vote is counted on, in one round trip. Without a case there is a row too: the caller has to be known.
  `create function read_standing(tenant uuid, request uuid, caller uuid) returns table (
    status text, version integer, stages jsonb, votes jsonb, people jsonb
  ) language plpgsql as $$
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      return query
        select c.status, c.version, c.stages, coalesce(v.votes, '[]'), coalesce(p.people, '[]')
        from (select 1) as one
        left join approval_case c on c.request_id = request
        left join lateral (
          select array_agg(v.decider_id) as deciders,
            jsonb_agg(jsonb_build_object('deciderId', v.decider_id, 'verdict', v.verdict, 'stage', v.stage) order by v.decided_at, v.decider_id) as votes
          from vote v where v.tenant_id = tenant and v.request_id = request
        ) v on true
        left join lateral (
          select jsonb_agg(jsonb_build_object('id', p.id, 'active', p.active, 'orgRoles', p.org_roles, 'teamIds', p.team_ids)) as people
          from person p where p.tenant_id = tenant and p.id = any(v.deciders || caller)
        ) p on true;
    end $$`,

  // Stores a vote and what it changes in one round trip. False: somebody has changed the case, the vote has to be counted anew.
  `create function store_vote(standing jsonb, cast_vote jsonb, moved jsonb, newcomer jsonb, events jsonb) returns boolean
  language plpgsql as $$
    declare
      becomes approval_case := jsonb_populate_record(null::approval_case, standing);
      recorded vote := jsonb_populate_record(null::vote, cast_vote);
    begin
      perform set_config('app.tenant_id', becomes.tenant_id::text, true);
      if becomes.version = 0 then
        becomes.version := 1;
        becomes.requester_email := coalesce((select p.email from person p where p.tenant_id = becomes.tenant_id and p.id = becomes.requester_id), '');
        insert into approval_case select becomes.* on conflict (request_id) do nothing;
      else
        update approval_case c set status = becomes.status, stages = becomes.stages, open_to = becomes.open_to,
          decided_at = becomes.decided_at, version = c.version + 1
        where c.request_id = becomes.request_id and c.version = becomes.version and c.status = 'PENDING';
      end if;
      if not found then
        return false;
      end if;
      insert into vote select recorded.*;
      update vote v set stage = m.stage from jsonb_to_recordset(moved) as m (decider_id uuid, stage text)
        where v.tenant_id = recorded.tenant_id and v.request_id = recorded.request_id and v.decider_id = m.decider_id;
      if newcomer <> 'null' then
        insert into person select * from jsonb_populate_record(null::person, newcomer) on conflict do nothing;
      end if;
      insert into outbox_event (event_id, tenant_id, type, aggregate_id, payload, headers, created_at)
        select e.id, recorded.tenant_id, e.type, recorded.request_id, decode(e.payload, 'base64'), e.headers, recorded.decided_at
        from jsonb_to_recordset(events) as e (id uuid, type text, payload text, headers jsonb);
      return true;
    end $$`,
];

export class Initial extends Migration {
  override up(): void {
    for (const sql of [
      ...tables,
      ...['approval_case', 'vote', 'person'].flatMap((table) => tenantTable(table)),
      ...platformTables,
      ...functions,
    ]) {
      this.addSql(sql);
    }
  }

  override down(): void {
    this.addSql('drop function store_vote, read_standing');
    this.addSql('drop table person, vote, approval_case');
    for (const sql of dropPlatformTables) this.addSql(sql);
  }
}
