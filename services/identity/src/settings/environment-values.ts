import { ConfigError } from '@accessops/telemetry';
import { type SettingKey, settingKeys, settings } from './registry.ts';

/** Values that the environment gives, by key. */
export type EnvironmentValues = ReadonlyMap<SettingKey, unknown>;

const jsonOr = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/** Reads the variables of all settings: a text as it is where the setting takes it, else JSON. Throws a ConfigError that names each variable that does not fit. */
export const environmentValues = (env: Record<string, string | undefined>): EnvironmentValues => {
  const values = new Map<SettingKey, unknown>();
  const problems: string[] = [];
  for (const key of settingKeys) {
    const { schema, environment } = settings[key];
    const text = env[environment];
    if (text === undefined || text === '') continue;
    const plain = schema.safeParse(text);
    const { success, data, error } = plain.success ? plain : schema.safeParse(jsonOr(text));
    if (success) values.set(key, data);
    else problems.push(...error.issues.map(({ message }) => `${environment}: ${message}`));
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values;
};
