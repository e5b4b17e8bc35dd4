import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { unitOfWork } from '@accessops/events';
import type { ServiceParts } from '@accessops/service';
import { Account } from './account.ts';
import type { PlatformUser } from './config.ts';
import { parseEmail } from './email.ts';
import type { IdentityProvider } from './provider.ts';
import { tellUserCreated } from './tell-user-created.ts';

const origin = { requestId: '', ip: '', userAgent: '', traceparent: '' };
const actor = { id: 'identity', type: 'system', email: '' };

const add = async ({ outbox, now }: ServiceParts, provider: IdentityProvider, user: PlatformUser): Promise<void> => {
  await provider.withAccount(user, (prepared) =>
    unitOfWork(outbox, { tenantId: noTenant }, async (em) => {
      const account = await prepared.add({ em, now });
      const { id, email, active, version } = account;
      const snapshot = { id, email, active, orgRoles: [], teamIds: [], version };
      tellUserCreated({ em, now, origin, actor, tenantId: noTenant }, snapshot, account);
    }),
  );
};

/** Makes the accounts of platform staff that are missing; an account that is there stays as it is, its password too. */
export const addPlatformUsers = async (parts: ServiceParts, provider: IdentityProvider, users: PlatformUser[]): Promise<void> => {
  for (const user of users) {
    const known = await parts.orm.em.fork().findOne(Account, { email: parseEmail(user.email) });
    if (!known) {
      await add(parts, provider, user).catch((error: unknown) => {
        // Another instance was faster.
        if (!(error instanceof AppError && error.code === 'EMAIL_TAKEN')) throw error;
      });
    } else if (!user.realmRoles.every((role) => known.realmRoles.includes(role))) {
      parts.log.warn({ email: user.email }, 'a declared platform user has an account without the declared roles');
    }
  }
};
