import { type Admin, orMissing, unless } from './admin.ts';

/** Makes Keycloak forget the wrong passwords of somebody. */
export const forgetFailures = (admin: Admin, userId: string): Promise<void> =>
  admin.run(({ attackDetection }) => unless(404, attackDetection.del({ id: userId })));

const idOf = async (admin: Admin, email: string): Promise<string | undefined> =>
  (await admin.run(({ users }) => users.find({ email, exact: true })))[0]?.id;

/**
 * Lets somebody in whom Keycloak keeps out after wrong passwords, and answers whether it did: Keycloak does not ask from where those came, and
 * refuses the owner as it refuses a guess. How often a password may be tried, and by whom, the gateway has decided before.
 */
export const endLockout = async (admin: Admin, { id, email }: { id: string | undefined; email: string }): Promise<boolean> => {
  // Somebody whom only Keycloak knows so far can be kept out too. One call in either case: the time tells nobody who has an account.
  const userId = id ?? (await idOf(admin, email));
  const status = userId && (await admin.run(({ attackDetection }) => orMissing(attackDetection.findOne({ id: userId }))));
  if (!status || status.disabled !== true) return false;
  await forgetFailures(admin, userId);
  return true;
};
