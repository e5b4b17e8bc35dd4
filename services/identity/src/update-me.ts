import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateMeRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { Account } from './account.ts';
import { changesBetween } from './changes.ts';
import { lockUser } from './find-user.ts';
import { snapshotOf } from './snapshot.ts';

/** Changes the caller's own names, in the caller's tenant and in the account. Errors: INVALID_FIELDS, USER_NOT_FOUND, PRECONDITION_FAILED. */
export const updateMe = async (ctx: Ctx, { firstName, lastName }: UpdateMeRequest): Promise<void> => {
  const { em, principal, tenantId } = ctx;
  const user = tenantId === noTenant ? undefined : await lockUser(em, principal.id);
  const account = await em.findOne(Account, { id: principal.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!account) throw new AppError('USER_NOT_FOUND');

  const person = user ?? account;
  ctx.expectVersion(person.version);
  const before = { firstName: person.firstName, lastName: person.lastName };
  const after = {
    firstName: firstName === undefined ? person.firstName : parseName('/firstName', firstName),
    lastName: lastName === undefined ? person.lastName : parseName('/lastName', lastName),
  };
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length === 0) return;

  account.rename(after, ctx.now());
  user?.describe({ ...after, active: user.active }, ctx.now());
  await em.flush();
  const { id, email, active, version } = account;
  const snapshot = user ? await snapshotOf(em, user) : { id, email, active, orgRoles: [], teamIds: [], version };
  emit(ctx, UserUpdatedSchema, { user: snapshot }, id, { action: 'USER_UPDATED', entityType: 'USER', entityId: id, changes });
};
