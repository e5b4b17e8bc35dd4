import type { Authorizer } from '@accessops/authz';
import { onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateServiceAccountRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';
import { changesBetween } from '../changes.ts';
import { assertMayGive, lockPeople, lockRoles } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { parseText } from '../text.ts';
import { findOwner, ownerIds } from './find-owner.ts';
import { lockServiceAccount } from './find-service-account.ts';
import type { ServiceAccount } from './service-account.ts';
import { snapshotOfAccount } from './snapshot-of-account.ts';

/** With the account its keys change hands; who had them before may know them still. */
const handKeysTo = (em: EntityManager, { id, tenantId, ownerId }: ServiceAccount): Promise<unknown> =>
  em.execute(
    `update api_key set holder_ids = array_append(holder_ids, ?::uuid)
      where tenant_id = ? and service_account_id = ? and not ?::uuid = any(holder_ids)`,
    [ownerId, tenantId, id, ownerId],
  );

/**
 * Changes name, description, scopes or owner: the caller must have all that it may do afterwards.
 * Errors: SERVICE_ACCOUNT_NOT_FOUND, INVALID_FIELDS, SERVICE_ACCOUNT_NAME_TAKEN, CANNOT_GIVE.
 */
export const updateServiceAccount = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { id, name, description, scopes, ownerId }: UpdateServiceAccountRequest,
): Promise<ServiceAccount> => {
  const { em } = ctx;
  const people = await lockPeople(ctx, ownerIds(ownerId));
  const { giver } = await lockRoles(ctx, people);
  const account = await lockServiceAccount(em, id);
  ctx.expectVersion(account.version);
  const before = { name: account.name, description: account.description, scopes: account.scopes, ownerId: account.ownerId };
  const after = {
    name: name === undefined ? account.name : parseName('/name', name),
    description: description === undefined ? account.description : parseText('/description', description),
    scopes: scopes
      ? await parsePermissions(authorizer, { pointer: '/scopes', permissions: scopes.items, whom: 'toServiceAccounts' })
      : account.scopes,
    ownerId: ownerId === undefined ? account.ownerId : findOwner(people, ownerId).id,
  };
  await assertMayGive(ctx, authorizer, giver, { permissions: after.scopes });
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length === 0) return account;

  account.describe(after, ctx.now());
  if (changes.ownerId) await handKeysTo(em, account);
  await em.flush().catch(onUnique({ service_account_name: 'SERVICE_ACCOUNT_NAME_TAKEN' }));
  emit(ctx, ServiceAccountChangedSchema, { serviceAccountId: account.id, account: await snapshotOfAccount(em, account) }, account.id, {
    action: 'SERVICE_ACCOUNT_UPDATED',
    entityType: 'SERVICE_ACCOUNT',
    entityId: account.id,
    changes,
  });
  return account;
};
