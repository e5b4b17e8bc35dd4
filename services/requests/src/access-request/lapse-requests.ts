import { emit } from '@accessops/events';
import type { Ctx } from '@accessops/service';
import { closure } from './closure.ts';

// In one order, so that two who lapse wait for each other instead of for ever.
const lapse = `
  with waiting as (
    select id from access_request where tenant_id = ? and resource_id = ? and status = 'PENDING' order by id for update
  )
  update access_request r set status = 'LAPSED', version = r.version + 1, updated_at = ? from waiting where r.id = waiting.id returning r.id`;

/** Ends what waits for a decision on a resource that is not there any more. */
export const lapseRequests = async (ctx: Ctx, resourceId: string): Promise<void> => {
  const lapsed = await ctx.em.execute<{ id: string }[]>(lapse, [ctx.tenantId, resourceId, ctx.now()]);
  for (const { id } of lapsed) emit(ctx, ...closure(id, 'LAPSED'));
};
