import { Migration } from '@mikro-orm/migrations';

/** What is offered has its price. The version before goes on with `read_offer`, whose columns its prepared statements rely on. */
export class PricedOffers extends Migration {
  override up(): void {
    this.addSql(`create function read_priced_offer(tenant uuid, wanted uuid) returns table (
      resource_version integer, type_version integer, key text, owning_team_id uuid, connector text, config text, roles jsonb,
      parameters_schema text, sensitivity text, pii boolean, max_duration text, price_per_hour jsonb
    ) language plpgsql set enable_seqscan = off as $$
      begin
        perform set_config('app.tenant_id', tenant::text, true);
        return query select r.version, t.version, r.key, r.owning_team_id, t.connector, t.config, to_jsonb(t.roles),
          t.parameters_schema, t.sensitivity, t.pii, t.max_duration, t.price_per_hour
          from resource r join resource_type t on t.id = r.type_id where r.id = wanted and r.deleted_at is null;
      end $$`);
  }

  override down(): void {
    this.addSql('drop function read_priced_offer(uuid, uuid)');
  }
}
