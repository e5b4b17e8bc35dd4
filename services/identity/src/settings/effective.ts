import type { SettingDefinition } from './registry.ts';

export type Source = 'default' | 'environment' | 'global' | 'tenant';

/** What a level says; boxed, since a value may be anything. */
export interface LevelValue {
  value: unknown;
  /** Of what was set, not of what was there at start. */
  updatedAt?: Date;
}

/** What each level says; undefined where it says nothing. */
export type Levels = Partial<Record<Exclude<Source, 'default'>, LevelValue>>;

/** The value that counts, and where it comes from: tenant before global before environment before the default. */
export const effective = (definition: SettingDefinition<unknown>, levels: Levels): { value: unknown; source: Source } => {
  for (const source of ['tenant', 'global', 'environment'] as const) {
    const level = levels[source];
    if (level) return { value: level.value, source };
  }
  return { value: definition.default, source: 'default' };
};
