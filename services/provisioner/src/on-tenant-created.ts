import { on } from '@accessops/events';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';

/** Remembers what a tenant is called: logins of targets are given to tenants by name. */
export const onTenantCreated = on(TenantCreatedSchema, async (ctx, { tenantId, slug }) => {
  await ctx.em.execute('insert into tenant (tenant_id, slug) values (?, ?) on conflict (tenant_id) do update set slug = excluded.slug', [
    tenantId,
    slug,
  ]);
});
