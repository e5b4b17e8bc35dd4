import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { SettingSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { EntityManager } from '@mikro-orm/postgresql';
import { effective } from './effective.ts';
import { definitionOf, type SettingDefinition, settingKeys } from './registry.ts';
import type { SettingState, Settings } from './settings.ts';

type SettingReply = MessageInitShape<typeof SettingSchema>;

/** The setting of a key at a level: a tenant has no say, and no sight, in what is the platform's. Errors: SETTING_NOT_FOUND. */
export const requireSetting = (tenantId: string, key: string): SettingDefinition<unknown> => {
  const definition = definitionOf(key);
  if (!definition || (tenantId !== noTenant && definition.level === 'platform')) throw new AppError('SETTING_NOT_FOUND');
  return definition;
};

/** The keys that a level has to do with, sorted. */
export const keysAt = (tenantId: string): string[] =>
  settingKeys.filter((key) => tenantId === noTenant || definitionOf(key)?.level === 'tenant');

/** A setting as the contract shows it: a secret only tells whether it is set. */
const settingReply = (tenantId: string, { key, levels, version }: SettingState): SettingReply => {
  const definition = requireSetting(tenantId, key);
  const { value, source } = effective(definition, levels);
  const updatedAt = (tenantId === noTenant ? levels.global : levels.tenant)?.updatedAt;
  const secret = definition.secret ?? false;
  return {
    key,
    valueJson: secret ? '' : JSON.stringify(value),
    source,
    description: definition.description,
    secret,
    isSet: source !== 'default',
    version,
    updatedAt: updatedAt && timestampFromDate(updatedAt),
  };
};

/** Settings at a level. Errors: SETTING_NOT_FOUND. */
export const findSettings = async (em: EntityManager, settings: Settings, tenantId: string, keys: string[]): Promise<SettingReply[]> => {
  for (const key of keys) requireSetting(tenantId, key);
  return (await settings.statesOf(em, tenantId, keys)).map((state) => settingReply(tenantId, state));
};
