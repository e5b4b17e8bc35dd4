import { emit } from '@accessops/events';
import { ServiceAccountDeletedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { lockServiceAccount } from './find-service-account.ts';

/** Deletes a service account with its keys; what it has been granted ends. Errors: SERVICE_ACCOUNT_NOT_FOUND. */
export const deleteServiceAccount = async (ctx: Ctx, id: string): Promise<void> => {
  const { em } = ctx;
  const account = await lockServiceAccount(em, id);
  ctx.expectVersion(account.version);
  const { name, description, scopes, ownerId, version } = account;
  em.remove(account);
  await em.flush();
  emit(ctx, ServiceAccountDeletedSchema, { serviceAccountId: account.id, version: version + 1 }, account.id, {
    action: 'SERVICE_ACCOUNT_DELETED',
    entityType: 'SERVICE_ACCOUNT',
    entityId: account.id,
    changes: { name: { before: name }, description: { before: description }, scopes: { before: scopes }, ownerId: { before: ownerId } },
  });
};
