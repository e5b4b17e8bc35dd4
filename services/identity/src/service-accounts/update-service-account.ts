import type { Authorizer } from '@accessops/authz';
import { onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateServiceAccountRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from '../changes.ts';
import { assertMayGive, lockGiver } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { parseName, parseText } from '../text.ts';
import { lockServiceAccount } from './find-service-account.ts';
import type { ServiceAccount } from './service-account.ts';

/**
 * Changes name, description or scopes: the caller must have all that it may do afterwards.
 * Errors: SERVICE_ACCOUNT_NOT_FOUND, INVALID_FIELDS, SERVICE_ACCOUNT_NAME_TAKEN, CANNOT_GIVE.
 */
export const updateServiceAccount = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { id, name, description, scopes }: UpdateServiceAccountRequest,
): Promise<ServiceAccount> => {
  const { em } = ctx;
  const giver = await lockGiver(ctx);
  const account = await lockServiceAccount(em, id);
  ctx.expectVersion(account.version);
  const before = { name: account.name, description: account.description, scopes: account.scopes };
  const after = {
    name: name === undefined ? account.name : parseName('/name', name),
    description: description === undefined ? account.description : parseText('/description', description),
    scopes: scopes
      ? await parsePermissions(authorizer, { pointer: '/scopes', permissions: scopes.items, whom: 'toServiceAccounts' })
      : account.scopes,
  };
  await assertMayGive(ctx, authorizer, giver, { permissions: after.scopes });
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length === 0) return account;

  account.describe(after, ctx.now());
  await em.flush().catch(onUnique({ service_account_name: 'SERVICE_ACCOUNT_NAME_TAKEN' }));
  emit(ctx, ServiceAccountChangedSchema, { serviceAccountId: account.id }, account.id, {
    action: 'SERVICE_ACCOUNT_UPDATED',
    entityType: 'SERVICE_ACCOUNT',
    entityId: account.id,
    changes,
  });
  return account;
};
