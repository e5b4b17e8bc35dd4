import { on } from '@accessops/events';
import { TenantUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrantsWhere } from './grants/end-grants.ts';
import { rememberTenant } from './standing.ts';

/** A suspended tenant loses all access: its people could not give it back. */
export const onTenantUpdated = on(TenantUpdatedSchema, async (ctx, { tenantId, status, version }) => {
  const suspended = status === 'SUSPENDED';
  const isNews = await rememberTenant(ctx.em, tenantId, suspended, version);
  if (isNews && suspended) await endGrantsWhere(ctx, { tenantId }, 'TENANT_SUSPENDED');
});
