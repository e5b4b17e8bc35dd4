import { expect, test } from 'vitest';
import { effective } from './effective.ts';
import { definitionOf, type SettingDefinition } from './registry.ts';

const definition = definitionOf('password.min-length') as SettingDefinition<unknown>;
const stored = (value: unknown) => ({ value, updatedAt: new Date(0) });

test('when several levels have a value, then the nearest counts: tenant, global, environment, default', () => {
  const levels = { environment: { value: 13 }, global: stored(14), tenant: stored(15) };
  expect(effective(definition, levels)).toEqual({ value: 15, source: 'tenant' });
  expect(effective(definition, { ...levels, tenant: undefined })).toEqual({ value: 14, source: 'global' });
  expect(effective(definition, { environment: { value: 13 } })).toEqual({ value: 13, source: 'environment' });
  expect(effective(definition, {})).toEqual({ value: 12, source: 'default' });
});

test('when a value is false, empty or null, then it still counts', () => {
  for (const value of [false, '', null, 0]) {
    expect(effective(definition, { environment: { value: 1 }, tenant: stored(value) })).toEqual({ value, source: 'tenant' });
  }
});
