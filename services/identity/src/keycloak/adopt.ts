import { noTenant, onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { unitOfWork } from '@accessops/events';
import type { ServiceParts } from '@accessops/service';
import { Account } from '../account.ts';
import { normalizeEmail } from '../email.ts';
import { tellUserCreated } from '../tell-user-created.ts';
import type { KeycloakParts } from './keycloak-provider.ts';
import { keycloakActor, noOrigin } from './our-standing.ts';
import { namesOf, pieces } from './pieces.ts';

/**
 * Makes the account of somebody who was made in Keycloak, with the memberships and roles of there. Errors: INVALID_CREDENTIALS for
 * somebody without an address, or with one that another account here has.
 */
export const adopt = async ({ outbox, now }: ServiceParts, { admin, reconciler }: KeycloakParts, subject: string): Promise<void> => {
  const user = await admin.run(({ users }) => users.findOne({ id: subject }));
  const email = normalizeEmail(user?.email ?? '');
  if (!user || !email) throw new AppError('INVALID_CREDENTIALS');
  const verified = user.emailVerified ?? false;
  const names = { firstName: user.firstName ?? '', lastName: user.lastName ?? '' };
  await unitOfWork(outbox, { tenantId: noTenant }, async (em) => {
    const at = now();
    const fields = { id: subject, email, passwordHash: '', realmRoles: [], ...names, active: true, verified };
    const account = em.create(Account, { ...fields, version: 1, createdAt: at, updatedAt: at });
    await em.flush().catch(onUnique({ account_email: 'INVALID_CREDENTIALS', account_pkey: 'INVALID_CREDENTIALS' }));
    // Nothing has been agreed on but that there is such a person: all the rest is Keycloak's to tell.
    const settled = pieces({ enabled: true, names: namesOf(names), email, verified, realmRoles: [] });
    await em.execute('insert into keycloak_account (account_id, settled, changed, attempts, due_at) values (?, ?::jsonb, 1, 0, now())', [
      subject,
      JSON.stringify(settled),
    ]);
    const snapshot = { id: subject, email, active: true, orgRoles: [], teamIds: [], version: 1 };
    tellUserCreated({ em, now, origin: noOrigin, actor: keycloakActor, tenantId: noTenant }, snapshot, account);
  });
  await reconciler.settle(subject);
};
