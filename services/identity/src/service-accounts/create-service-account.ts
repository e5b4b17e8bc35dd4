import type { Authorizer } from '@accessops/authz';
import { newId, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { CreateServiceAccountRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { created } from '../changes.ts';
import { assertMayGive, lockPeople, lockRoles } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { parseText } from '../text.ts';
import { findOwner, ownerIds } from './find-owner.ts';
import { ServiceAccount } from './service-account.ts';
import { snapshotOfAccount } from './snapshot-of-account.ts';

/** Makes a service account without keys; the caller owns it, unless somebody else is named. Errors: INVALID_FIELDS, SERVICE_ACCOUNT_NAME_TAKEN, CANNOT_GIVE. */
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
  const people = await lockPeople(ctx, ownerIds(request.ownerId));
  const { giver } = await lockRoles(ctx, people);
  const owner = findOwner(people, request.ownerId ?? ctx.principal.id);
  await assertMayGive(ctx, authorizer, giver, { permissions: scopes });
  const now = ctx.now();
  const account = em.create(ServiceAccount, {
    id: newId(),
    tenantId,
    name,
    description,
    scopes,
    ownerId: owner.id,
    createdBy: ctx.principal.id,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await em.flush().catch(onUnique({ service_account_name: 'SERVICE_ACCOUNT_NAME_TAKEN' }));
  emit(ctx, ServiceAccountChangedSchema, { serviceAccountId: account.id, account: await snapshotOfAccount(em, account) }, account.id, {
    action: 'SERVICE_ACCOUNT_CREATED',
    entityType: 'SERVICE_ACCOUNT',
    entityId: account.id,
    changes: created({ name, description, scopes, ownerId: owner.id }),
  });
  return account;
};
