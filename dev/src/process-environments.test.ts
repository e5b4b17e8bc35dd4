import { expect, test } from 'vitest';
import { settings } from '../../services/identity/src/settings/registry.ts';
import { settingVariables } from './process-environments.ts';

test('when a setting is declared, then its variable reaches the service', () => {
  expect(settingVariables).toEqual(
    Object.values(settings)
      .map(({ environment }) => environment)
      .sort(),
  );
});
