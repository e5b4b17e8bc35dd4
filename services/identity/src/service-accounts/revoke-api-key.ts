import { emit } from '@accessops/events';
import { ApiKeyChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { RevokeApiKeyRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { findApiKey, lockServiceAccount } from './find-service-account.ts';
import { snapshotOfAccount } from './snapshot-of-account.ts';

/** Ends a key at once. Errors: SERVICE_ACCOUNT_NOT_FOUND, API_KEY_NOT_FOUND. */
export const revokeApiKey = async (ctx: Ctx, { serviceAccountId, keyId }: RevokeApiKeyRequest): Promise<void> => {
  const { em } = ctx;
  const account = await lockServiceAccount(em, serviceAccountId);
  const key = await findApiKey(em, account, keyId);
  em.remove(key);
  account.touch(ctx.now());
  await em.flush();
  emit(
    ctx,
    ApiKeyChangedSchema,
    { serviceAccountId: account.id, keyId: key.id, account: await snapshotOfAccount(em, account) },
    account.id,
    {
      action: 'API_KEY_REVOKED',
      entityType: 'API_KEY',
      entityId: key.id,
      changes: { serviceAccountId: { before: account.id }, expiresAt: { before: key.expiresAt } },
    },
  );
};
