import type { Ctx } from '@accessops/service';
import type { Account } from '../account.ts';
import { homeOf } from '../home-of.ts';
import { forgetSecondFactor } from '../local/second-factor/remove-second-factor.ts';
import type { SetPassword } from '../provider.ts';
import { endSessions } from '../session.ts';
import { tellAccountChanged } from '../tell-account-changed.ts';
import { dropLinks } from './link.ts';
import { verifyAddress } from './verify-email.ts';

/**
 * Sets a new password for somebody who reads the mail of the account: all that the old one has opened, sessions and the links that are
 * on their way, is worth nothing then. A second factor stays with the account, unless nobody had verified the address: then it is that of
 * whoever made the account, who need not be the one who reads the mail. Needs a transaction across tenants.
 */
export const replacePassword = async (ctx: Ctx, account: Account, set: SetPassword): Promise<void> => {
  await set(ctx);
  await tellAccountChanged(ctx, account.id, 'PASSWORD_CHANGED');
  if (!account.verified) await forgetSecondFactor({ ...ctx, tenantId: await homeOf(ctx.em, account.id) }, account.id);
  await verifyAddress(ctx, account);
  await dropLinks(ctx.em, account.id, ['RESET_PASSWORD', 'CHANGE_EMAIL']);
  await endSessions(ctx, { where: 's.account_id = ?', values: [account.id], reason: 'PASSWORD_CHANGED' });
};
