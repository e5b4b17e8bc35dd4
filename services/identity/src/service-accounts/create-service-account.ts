import type { Authorizer } from '@accessops/authz';
import { newId, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { CreateServiceAccountRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { created } from '../changes.ts';
import { assertMayGive, lockGiver } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { parseName, parseText } from '../text.ts';
import { ServiceAccount } from './service-account.ts';

/** Makes a service account without keys. Errors: INVALID_FIELDS, SERVICE_ACCOUNT_NAME_TAKEN, CANNOT_GIVE. */
export const createServiceAccount = async (
  ctx: Ctx,
  authorizer: Authorizer,
  request: CreateServiceAccountRequest,
): Promise<ServiceAccount> => {
  const { em, tenantId } = ctx;
  const name = parseName('/name', request.name);
  const description = parseText('/description', request.description);
  const asked = { pointer: '/scopes', permissions: request.scopes, whom: 'toServiceAccounts' } as const;
  const scopes = await parsePermissions(authorizer, asked);
  const giver = await lockGiver(ctx);
  await assertMayGive(ctx, authorizer, giver, { permissions: scopes });
  const now = ctx.now();
  const account = em.create(ServiceAccount, {
    id: newId(),
    tenantId,
    name,
    description,
    scopes,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await em.flush().catch(onUnique({ service_account_name: 'SERVICE_ACCOUNT_NAME_TAKEN' }));
  emit(ctx, ServiceAccountChangedSchema, { serviceAccountId: account.id }, account.id, {
    action: 'SERVICE_ACCOUNT_CREATED',
    entityType: 'SERVICE_ACCOUNT',
    entityId: account.id,
    changes: created({ name, description, scopes }),
  });
  return account;
};
