import { newId, onUnique } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { AccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { changeEverywhere } from '../change-everywhere.ts';
import { parseEmail } from '../email.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { tenantsOf } from '../memberships.ts';
import type { Settings } from '../settings/settings.ts';
import { tellAccountChanged } from '../tell-account-changed.ts';
import { assertDomainIn } from '../tenant-rules.ts';
import { dropLinks, findLink, makeLink, useLink } from './link.ts';

/**
 * Mails a link to the caller's address and one to the address that is to follow it; another change that waits is given up. Whether
 * the new address is taken shows only to whoever reads its mail. Needs a transaction across tenants. Errors: INVALID_FIELDS, USER_NOT_FOUND,
 * TOO_MANY_MAILS.
 */
export const requestEmailChange = async (
  ctx: Ctx,
  { queueMail, settings }: { queueMail: QueueMail; settings: Settings },
  email: string,
): Promise<void> => {
  const newAddress = parseEmail(email);
  const account = await ctx.em.findOne(Account, { id: ctx.principal.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!account) throw new AppError('USER_NOT_FOUND');
  if (account.email === newAddress) throw invalidField('/email', 'is your address already');
  await assertDomainIn(ctx.em, settings, await tenantsOf(ctx.em, account.id), { email: newAddress });
  await dropLinks(ctx.em, account.id, ['CHANGE_EMAIL']);
  const change = { id: newId(), newAddress };
  for (const address of [account.email, newAddress]) {
    const link = await makeLink(ctx, { kind: 'CHANGE_EMAIL', accountId: account.id, address, change });
    await queueMail(ctx, { kind: 'CHANGE_EMAIL', address, link });
  }
  emit(ctx, AccountChangedSchema, { userId: account.id }, account.id, {
    action: 'EMAIL_CHANGE_REQUESTED',
    entityType: 'USER',
    entityId: account.id,
    changes: { email: { before: account.email, after: newAddress } },
  });
};

/**
 * Agrees to a change of address from one of its two sides; whoever is second changes it, in all tenants of the person.
 * Errors: LINK_NOT_VALID, EMAIL_TAKEN.
 */
export const confirmEmailChange = async (ctx: Ctx, token: string): Promise<'WAITING' | 'CHANGED'> => {
  const { em } = ctx;
  const link = await findLink(em, 'CHANGE_EMAIL', token, ctx.now());
  // Both sides at once: the second waits here, and then sees the first.
  const account = await em.findOneOrFail(Account, { id: link.accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  await useLink(em, link, ctx.now());
  const self = actingAs(ctx, account);
  const others = await em.execute('select 1 from link where change_id = ? and id <> ? and used_at is not null', [link.changeId, link.id]);
  if (others.length === 0) {
    const side = link.address === link.newAddress ? 'new' : 'old';
    await tellAccountChanged(self, account.id, 'EMAIL_CHANGE_CONFIRMED', { side: { after: side } });
    return 'WAITING';
  }
  const before = account.email;
  account.moveTo(link.newAddress ?? '', ctx.now());
  await em.flush().catch(onUnique({ account_email: 'EMAIL_TAKEN' }));
  await dropLinks(em, account.id, ['VERIFY_EMAIL', 'RESET_PASSWORD']);
  await changeEverywhere(self, account, 'EMAIL_CHANGED', { email: { before, after: account.email } });
  return 'CHANGED';
};
