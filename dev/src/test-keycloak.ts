import { missingForKeycloak } from './keycloak-server.ts';
import { passThrough } from './pass-through.ts';

/** `npm run test:keycloak`: the tests on a real Keycloak; left out where it cannot run, unless CI=true. */
export const testKeycloak = async (args: string[]): Promise<number> => {
  const lacks = await missingForKeycloak();
  if (!lacks) return passThrough('vitest', ['run', '--config', 'vitest.keycloak.config.ts', ...args]);
  const isCi = process.env.CI === 'true';
  process.stderr.write(`The tests with a real Keycloak ${isCi ? 'cannot run' : 'are left out'}: ${lacks}\n`);
  return isCi ? 1 : 0;
};
