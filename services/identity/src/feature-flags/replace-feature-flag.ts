import { onUnique } from '@accessops/db';
import type { Ctx } from '@accessops/service';
import { changesBetween } from '../changes.ts';
import type { FeatureFlag } from './feature-flag.ts';
import { lockFeatureFlag } from './find-feature-flag.ts';
import { type FlagFields, parseFlag } from './parse-flag.ts';
import { tellFlag } from './tell-flag.ts';

/** Gives a feature flag another name, description or position. Errors: FEATURE_FLAG_NOT_FOUND, INVALID_FIELDS, FEATURE_FLAG_NAME_TAKEN, PRECONDITION_FAILED. */
export const replaceFeatureFlag = async (ctx: Ctx, { id, ...input }: FlagFields & { id: string }): Promise<FeatureFlag> => {
  const flag = await lockFeatureFlag(ctx.em, id);
  const { name, description, enabled } = flag;
  ctx.expectVersion(flag.version);
  const after = parseFlag({ name: input.name, description: input.description, enabled: input.enabled });
  const changes = changesBetween({ name, description, enabled }, after);
  if (Object.keys(changes).length === 0) return flag;

  flag.describe(after, ctx.now());
  await ctx.em.flush().catch(onUnique({ feature_flag_name: 'FEATURE_FLAG_NAME_TAKEN' }));
  tellFlag(ctx, flag, 'UPDATED', changes);
  return flag;
};
