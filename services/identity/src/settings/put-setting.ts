import { AppError, type FieldViolation, pointerTo } from '@accessops/errors';
import type { PutSettingRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changeSetting } from './change-setting.ts';
import { requireSetting } from './find-settings.ts';
import type { SettingDefinition } from './registry.ts';
import type { Settings } from './settings.ts';

/** A value that the setting takes. Errors: INVALID_FIELDS at /value or inside it. */
const parseValue = ({ schema }: SettingDefinition<unknown>, json: string): unknown => {
  const { success, data, error } = schema.safeParse(JSON.parse(json));
  if (success) return data;
  const fields = error.issues.map(({ path, message }): FieldViolation => ({ pointer: pointerTo(['value', ...path]), message }));
  throw new AppError('INVALID_FIELDS', undefined, { fields });
};

/**
 * Sets a value at a level: the context's tenant, or with `noTenant` the platform.
 * Errors: SETTING_NOT_FOUND, INVALID_FIELDS at /value, PRECONDITION_FAILED.
 */
export const putSetting = async (
  ctx: Ctx,
  settings: Settings,
  { key, valueJson }: Pick<PutSettingRequest, 'key' | 'valueJson'>,
): Promise<void> => {
  const definition = requireSetting(ctx.tenantId, key);
  const value = parseValue(definition, valueJson);
  const stored = definition.secret ? { value: null, sealed: settings.seal(key, value) } : { value: JSON.stringify(value), sealed: null };
  await changeSetting(ctx, key, stored);
};
