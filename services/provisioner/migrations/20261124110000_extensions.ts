import { Migration } from '@mikro-orm/migrations';

/** Access can last longer, at the simulated target too: under a later worker's number it stays what it is. */
export class Extensions extends Migration {
  override up(): void {
    this.addSql(
      `create function simulated_extend(of_tenant uuid, of_key uuid, with_fence integer) returns boolean language plpgsql as $$
       begin
         perform set_config('app.tenant_id', of_tenant::text, true);
         update simulated_target set fence = with_fence where key = of_key and present and fence <= with_fence;
         return found;
       end $$`,
    );
  }

  override down(): void {
    this.addSql('drop function simulated_extend');
  }
}
