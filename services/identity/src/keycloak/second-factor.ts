import { AppError } from '@accessops/errors';
import type { SecondFactors } from '../provider.ts';
import type { Admin } from './admin.ts';

const keptElsewhere = (): Promise<never> => Promise.reject(new AppError('MFA_KEPT_ELSEWHERE'));

/** Second factors are Keycloak's: set up, used and taken away there; here one sees whether there is one. */
export const createSecondFactors = (admin: Admin): SecondFactors => ({
  keptElsewhere: true,
  get: async ({ principal }) => {
    const credentials = await admin.run(({ users }) => users.getCredentials({ id: principal.id }));
    return { enrolled: credentials.some(({ type }) => type === 'otp') };
  },
  begin: keptElsewhere,
  confirm: keptElsewhere,
  renewRecoveryCodes: keptElsewhere,
  remove: keptElsewhere,
  removeOf: keptElsewhere,
});
