import type { Ctx } from '@accessops/service';
import { changeSetting } from './change-setting.ts';
import { requireSetting } from './find-settings.ts';

/** Takes the value of a level back; nothing happens when it has none. Errors: SETTING_NOT_FOUND, PRECONDITION_FAILED. */
export const deleteSetting = async (ctx: Ctx, key: string): Promise<void> => {
  requireSetting(ctx.tenantId, key);
  await changeSetting(ctx, key, { value: null, sealed: null });
};
