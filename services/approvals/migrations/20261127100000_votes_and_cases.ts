import { Migration } from '@mikro-orm/migrations';

const storeVote = (
  open: string,
) => `create or replace function store_vote(standing jsonb, cast_vote jsonb, moved jsonb, newcomer jsonb, events jsonb)
  returns boolean language plpgsql as $$
    declare
      becomes approval_case := jsonb_populate_record(null::approval_case, standing);
      recorded vote := jsonb_populate_record(null::vote, cast_vote);
    begin
      perform set_config('app.tenant_id', becomes.tenant_id::text, true);
      if becomes.version = 0 then
        becomes.requester_email := coalesce((select p.email from person p where p.tenant_id = becomes.tenant_id and p.id = becomes.requester_id), '');
        ${open};
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
    end $$`;

const before = `becomes.version := 1;
        insert into approval_case select becomes.* on conflict (request_id) do nothing`;

// Version 1 is a case as its event opens it. A vote counted on a case that was not there holds for that one as well; one that another vote
// has opened is a version further.
const after = `becomes.version := 2;
        insert into approval_case as known select becomes.* on conflict (request_id) do update set status = excluded.status, stages = excluded.stages,
          open_to = excluded.open_to, decided_at = excluded.decided_at, version = excluded.version
        where known.version = 1 and known.status = 'PENDING'`;

/** A vote that meets the event of its case need not be counted again. */
export class VotesAndCases extends Migration {
  override up(): void {
    this.addSql(storeVote(after));
  }

  override down(): void {
    this.addSql(storeVote(before));
  }
}
