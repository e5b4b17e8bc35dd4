import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { changeEverywhere } from '../change-everywhere.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { dropLinks, findLink, makeLink, useLink } from './link.ts';

/** Notes that somebody reads what is sent to an account's address. */
export const verifyAddress = async (ctx: WriteContext, account: Account): Promise<void> => {
  if (account.verified) return;
  account.verify(ctx.now());
  await ctx.em.flush();
  await changeEverywhere(ctx, account, 'EMAIL_VERIFIED', { verified: { before: false, after: true } });
};

/** Verifies an address by the link that was mailed to it. Errors: LINK_NOT_VALID. */
export const verifyEmail = async (ctx: Ctx, token: string): Promise<void> => {
  const link = await findLink(ctx.em, 'VERIFY_EMAIL', token, ctx.now());
  const account = await ctx.em.findOneOrFail(Account, { id: link.accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (account.email !== link.address) throw new AppError('LINK_NOT_VALID');
  await useLink(ctx.em, link, ctx.now());
  await verifyAddress(actingAs(ctx, account), account);
};

/** Mails a link that verifies the account's address; earlier ones are worth nothing then. Errors: TOO_MANY_MAILS. */
export const mailVerification = async (
  ctx: Pick<WriteContext, 'em' | 'now' | 'origin' | 'tenantId'>,
  queueMail: QueueMail,
  { id: accountId, email: address }: Pick<Account, 'id' | 'email'>,
): Promise<void> => {
  await dropLinks(ctx.em, accountId, ['VERIFY_EMAIL']);
  const link = await makeLink(ctx, { kind: 'VERIFY_EMAIL', accountId, address });
  await queueMail(ctx, { kind: 'VERIFY_EMAIL', address, link });
};

/** Mails the caller another such link, unless the address is verified already. Errors: USER_NOT_FOUND, TOO_MANY_MAILS. */
export const requestVerification = async (ctx: Ctx, queueMail: QueueMail): Promise<void> => {
  const account = await ctx.em.findOne(Account, { id: ctx.principal.id });
  if (!account) throw new AppError('USER_NOT_FOUND');
  if (!account.verified) await mailVerification(ctx, queueMail, account);
};
