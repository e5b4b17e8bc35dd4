import type { Ctx } from '@accessops/service';
import { lockFeatureFlag } from './find-feature-flag.ts';
import { tellFlag } from './tell-flag.ts';

/** Deletes a feature flag: it is off. Errors: FEATURE_FLAG_NOT_FOUND. */
export const deleteFeatureFlag = async (ctx: Ctx, id: string): Promise<void> => {
  const flag = await lockFeatureFlag(ctx.em, id);
  ctx.expectVersion(flag.version);
  const { name, description, enabled } = flag;
  ctx.em.remove(flag);
  await ctx.em.flush();
  tellFlag(ctx, flag, 'DELETED', { name: { before: name }, description: { before: description }, enabled: { before: enabled } });
};
