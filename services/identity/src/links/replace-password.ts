import type { Ctx } from '@accessops/service';
import type { Account } from '../account.ts';
import type { SetPassword } from '../provider.ts';
import { endSessions } from '../session.ts';
import { tellAccountChanged } from '../tell-account-changed.ts';
import { dropLinks } from './link.ts';
import { verifyAddress } from './verify-email.ts';

/**
 * Sets a new password for somebody who reads the mail of the account: all that the old one has opened, sessions and the links that are
 * on their way, is worth nothing then. Needs a transaction across tenants.
 */
export const replacePassword = async (ctx: Ctx, account: Account, set: SetPassword): Promise<void> => {
  await set(ctx);
  await tellAccountChanged(ctx, account.id, 'PASSWORD_CHANGED');
  await verifyAddress(ctx, account);
  await dropLinks(ctx.em, account.id, ['RESET_PASSWORD', 'CHANGE_EMAIL']);
  await endSessions(ctx, { where: 's.account_id = ?', values: [account.id], reason: 'PASSWORD_CHANGED' });
};
