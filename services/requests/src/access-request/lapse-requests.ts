import { emit, type WriteContext } from '@accessops/events';
import { closure } from './closure.ts';

/** What is gone without which nobody is to decide: `?` is its id, of a requester also the time. */
const reasons = {
  resource: 'resource_id = ?::uuid',
  // Nobody can complete such a stage any more.
  team: `stages @> jsonb_build_array(jsonb_build_object('teamId', ?::text))`,
  requester: 'requester_id = ?::uuid and created_at <= ?',
};

// In one order, so that two who lapse wait for each other instead of for ever.
const lapseWhere = (reason: string) => `
  with waiting as (
    select id from access_request where tenant_id = ? and ${reason} and status = 'PENDING' order by id for update
  )
  update access_request r set status = 'LAPSED', version = r.version + 1, updated_at = ? from waiting where r.id = waiting.id returning r.id`;

/** Ends what waits for a decision that is not to come. */
export const lapseRequests = async (ctx: WriteContext, reason: keyof typeof reasons, ...gone: [id: string, at?: Date]): Promise<void> => {
  const lapsed = await ctx.em.execute<{ id: string }[]>(lapseWhere(reasons[reason]), [ctx.tenantId, ...gone, ctx.now()]);
  for (const { id } of lapsed) emit(ctx, ...closure(id, 'LAPSED'));
};
