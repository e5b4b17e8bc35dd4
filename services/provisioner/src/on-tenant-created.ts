import { newId, noTenant } from '@accessops/db';
import { on } from '@accessops/events';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { validate } from 'uuid';
import { queueJobs } from './jobs/queue-jobs.ts';

/** Remembers what a tenant is called: logins of targets are given to tenants by name. And has it get what it begins with. */
export const onTenantCreated = on(TenantCreatedSchema, async (ctx, { tenantId, slug, change }) => {
  await ctx.em.execute('insert into tenant (tenant_id, slug) values (?, ?) on conflict (tenant_id) do update set slug = excluded.slug', [
    tenantId,
    slug,
  ]);
  const requesterId = change?.actor?.id ?? '';
  const job = { id: newId(), requestId: null, grantId: null, kind: 'TENANT_DEFAULTS', spec: {} } as const;
  await queueJobs([{ ctx, job: { ...job, requesterId: validate(requesterId) ? requesterId : noTenant } }]);
});
