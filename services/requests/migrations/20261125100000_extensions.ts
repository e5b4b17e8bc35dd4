import { Migration } from '@mikro-orm/migrations';

const readRequest = (more: { column: string; value: string }) => `create function read_request(tenant uuid, request uuid) returns table (
    requester_id uuid, resource_id uuid, role text, justification text, duration text, parameters text, ticket text, status text,
    required_approvals integer, stages jsonb, job_id uuid, grant_id uuid, version integer, created_ms float8, updated_ms float8,
    custodian_ids jsonb${more.column}
  ) language plpgsql set enable_seqscan = off as $$
    begin
      perform set_config('app.tenant_id', tenant::text, true);
      return query select r.requester_id, r.resource_id, r.role, r.justification, r.duration, r.parameters, r.ticket, r.status,
        r.required_approvals, r.stages, r.job_id, r.grant_id, r.version,
        (extract(epoch from r.created_at) * 1000)::float8, (extract(epoch from r.updated_at) * 1000)::float8, r.custodian_ids${more.value}
        from access_request r where r.id = request;
    end $$`;

/** Requests that have access last longer, which another request has led to. */
export class Extensions extends Migration {
  override up(): void {
    this.addSql('alter table access_request add column extends_request_id uuid');
    this.addSql(
      'create index access_request_extends on access_request (tenant_id, extends_request_id) where extends_request_id is not null',
    );
    this.addSql('drop function read_request(uuid, uuid)');
    this.addSql(readRequest({ column: ', extends_request_id uuid', value: ', r.extends_request_id' }));
  }

  override down(): void {
    this.addSql('drop function read_request(uuid, uuid)');
    this.addSql(readRequest({ column: '', value: '' }));
    this.addSql('drop index access_request_extends');
    this.addSql('alter table access_request drop column extends_request_id');
  }
}
