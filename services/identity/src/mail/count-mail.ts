import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';

const hourMs = 3_600_000;

/** Mails for one address in an hour, whoever asks for them: nobody's mailbox is filled by us. */
const perAddress = 10;
/** Mails that one tenant has sent in an hour, to whomever. */
const perTenant = 1000;

const countSql = `insert into mail_count as counted (subject, since, mails) values (?, ?, 1)
  on conflict (subject, since) do update set mails = counted.mails + 1 where counted.mails < ? returning mails`;

const startOfHour = (now: Date): Date => new Date(now.getTime() - (now.getTime() % hourMs));

/** Counts one more for a subject in this hour; false, and not counted, when there were as many as the limit. */
export const fitsInHour = async ({ em, now }: Pick<WriteContext, 'em' | 'now'>, subject: string, limit: number): Promise<boolean> => {
  const counted = await em.execute<unknown[]>(countSql, [subject, startOfHour(now()), limit]);
  return counted.length > 0;
};

/** Counts a mail for an address; false, and not counted, when it has got enough of them in this hour. */
export const fitsAddress = (ctx: Pick<WriteContext, 'em' | 'now'>, address: string): Promise<boolean> =>
  fitsInHour(ctx, `address ${address}`, perAddress);

/**
 * Counts a mail that somebody has asked for, for its address and for the tenant of the context, if there is one: what has no tenant is
 * limited by where it comes from, at the gateway. The tenant goes first, so that its transactions wait there and nowhere else.
 * Errors: TOO_MANY_MAILS.
 */
export const countMail = async (ctx: Pick<WriteContext, 'em' | 'now' | 'tenantId'>, address: string): Promise<void> => {
  const ofTenant = ctx.tenantId === noTenant || (await fitsInHour(ctx, `tenant ${ctx.tenantId}`, perTenant));
  if (ofTenant && (await fitsAddress(ctx, address))) return;
  const now = ctx.now();
  const retryAfter = Math.ceil((startOfHour(now).getTime() + hourMs - now.getTime()) / 1000);
  throw new AppError('TOO_MANY_MAILS', undefined, { members: { retryAfter } });
};
