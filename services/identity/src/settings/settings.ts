import { noTenant } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';
import { open, seal } from '../local/seal.ts';
import { effective, type Levels, type LevelValue } from './effective.ts';
import type { EnvironmentValues } from './environment-values.ts';
import { type SettingKey, type SettingValue, settings } from './registry.ts';

interface Row {
  tenant_id: string;
  key: string;
  value: string | null;
  sealed: Buffer | null;
  version: number;
  updated_at: string;
}

/** Reads and seals the values of settings. */
export interface Settings {
  /** What counts for a tenant, or with `noTenant` for the platform. */
  valueOf<Key extends SettingKey>(em: EntityManager, tenantId: string, key: Key): Promise<SettingValue<Key>>;
  /** What counts when this is what is stored: the JSON of the nearest level; null when nothing is. Not for secrets. */
  valueFrom<Key extends SettingKey>(key: Key, stored: string | null): SettingValue<Key>;
  /** Settings as they are at a tenant's level, or with `noTenant` at the platform's. */
  statesOf(em: EntityManager, tenantId: string, keys: readonly string[]): Promise<SettingState[]>;
  /** A secret as it is stored. */
  seal(key: string, value: unknown): Buffer;
}

/** A setting at one level. */
export interface SettingState {
  key: string;
  levels: Levels;
  /** Counts the changes at this level, from 1. */
  version: number;
}

export interface SettingsOptions {
  environment: EnvironmentValues;
  /** Seals secrets at rest. */
  sealKey: Buffer;
}

const contextOf = (key: string): string => `setting ${key}`;

/** Settings as they are at the moment of asking: default, environment, global, tenant. */
export const createSettings = ({ environment, sealKey }: SettingsOptions): Settings => {
  const levelOf = ({ key, value, sealed, updated_at }: Row): LevelValue | undefined => {
    const json = sealed ? open(sealKey, Buffer.from(sealed), contextOf(key)).toString() : value;
    return json === null ? undefined : { value: JSON.parse(json) as unknown, updatedAt: new Date(updated_at) };
  };

  const statesOf: Settings['statesOf'] = async (em, tenantId, keys) => {
    const rows = await em.execute<Row[]>(
      `select tenant_id, key, value, sealed, version, updated_at from setting
        where tenant_id in (?, ?) and key in (select json_array_elements_text(?::json))`,
      [tenantId, noTenant, JSON.stringify(keys)],
    );
    return keys.map((key) => {
      const rowOf = (id: string) => rows.find((row) => row.key === key && row.tenant_id === id);
      const [own, global] = [rowOf(tenantId), rowOf(noTenant)];
      const levels: Levels = {
        ...(environment.has(key as SettingKey) && { environment: { value: environment.get(key as SettingKey) } }),
        global: global && levelOf(global),
        tenant: tenantId === noTenant ? undefined : own && levelOf(own),
      };
      return { key, levels, version: own?.version ?? 1 };
    });
  };

  return {
    statesOf,
    valueFrom: (key, stored) => {
      const value = stored === null ? undefined : { value: JSON.parse(stored) as unknown };
      const atStart = environment.has(key) ? { value: environment.get(key) } : undefined;
      return effective(settings[key], { tenant: value, environment: atStart }).value as SettingValue<typeof key>;
    },
    valueOf: async (em, tenantId, key) => {
      const [state] = await statesOf(em, tenantId, [key]);
      // Values are checked when they are set.
      return effective(settings[key], state?.levels ?? {}).value as SettingValue<typeof key>;
    },
    seal: (key, value) => seal(sealKey, Buffer.from(JSON.stringify(value)), contextOf(key)),
  };
};
