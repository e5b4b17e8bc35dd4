import { newId, onUnique } from '@accessops/db';
import type { Ctx } from '@accessops/service';
import { created } from '../changes.ts';
import { FeatureFlag } from './feature-flag.ts';
import { type FlagFields, parseFlag } from './parse-flag.ts';
import { tellFlag } from './tell-flag.ts';

/** Makes a feature flag. Errors: INVALID_FIELDS, FEATURE_FLAG_NAME_TAKEN. */
export const createFeatureFlag = async (ctx: Ctx, input: FlagFields): Promise<FeatureFlag> => {
  const fields = parseFlag(input);
  const now = ctx.now();
  const flag = ctx.em.create(FeatureFlag, { ...fields, id: newId(), tenantId: ctx.tenantId, version: 1, createdAt: now, updatedAt: now });
  await ctx.em.flush().catch(onUnique({ feature_flag_name: 'FEATURE_FLAG_NAME_TAKEN' }));
  tellFlag(ctx, flag, 'CREATED', created(fields));
  return flag;
};
