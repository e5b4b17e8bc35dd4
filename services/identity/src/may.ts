import type { Ctx } from '@accessops/service';

/** Asks whether the caller may do this to something of their own tenant. Errors: PERMISSION_DENIED and its like. */
export const may = (ctx: Pick<Ctx, 'authorize' | 'tenantId'>, kind: string, action: string): Promise<unknown> =>
  ctx.authorize(kind, action, { tenantId: ctx.tenantId });
