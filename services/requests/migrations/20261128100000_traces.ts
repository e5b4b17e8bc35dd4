import { Migration } from '@mikro-orm/migrations';

/** The trace in which a request was filed, so that votes on it go on there; null where nothing was recorded. */
export class Traces extends Migration {
  override up(): void {
    this.addSql('alter table access_request add column traceparent text');
    this.addSql(`create function read_trace(tenant uuid, request uuid) returns text language plpgsql set enable_seqscan = off as $$
      begin
        perform set_config('app.tenant_id', tenant::text, true);
        return (select r.traceparent from access_request r where r.id = request);
      end $$`);
  }

  override down(): void {
    this.addSql('drop function read_trace(uuid, uuid)');
    this.addSql('alter table access_request drop column traceparent');
  }
}
