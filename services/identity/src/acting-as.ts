import type { WriteContext } from '@accessops/events';
import type { Account } from './account.ts';

/** The context as that of somebody who has just proved who they are, by a password or a mailed link, and has no principal yet. */
export const actingAs = <C extends Pick<WriteContext, 'actor'>>(ctx: C, { id, email }: Pick<Account, 'id' | 'email'>): C => ({
  ...ctx,
  actor: { id, type: 'user', email },
});
