import { AppError } from '@accessops/errors';
import type { ResetPasswordRequest, ResetPasswordResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { LockMode } from '@mikro-orm/postgresql';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { tenantsOf } from '../memberships.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { passwordLengthIn } from '../tenant-rules.ts';
import { findLink, useLink } from './link.ts';
import { replacePassword } from './replace-password.ts';

/** Sets a new password by a mailed link and ends all sessions of the person. Errors: LINK_NOT_VALID, PASSWORD_TOO_WEAK. */
export const resetPassword = async (
  call: Call,
  { provider, settings }: { provider: IdentityProvider; settings: Settings },
  { token, password }: ResetPasswordRequest,
): Promise<MessageInitShape<typeof ResetPasswordResponseSchema>> => {
  const { link, found, minLength } = await call.read(async ({ em, now }) => {
    const open = await findLink(em, 'RESET_PASSWORD', token, now());
    return {
      link: open,
      found: await em.findOneOrFail(Account, { id: open.accountId }),
      minLength: await passwordLengthIn(em, settings, await tenantsOf(em, open.accountId)),
    };
  }, 'all-tenants');
  return provider.withPassword(found, { password, minLength }, (set) =>
    call.writeOnce<typeof ResetPasswordResponseSchema>(async (ctx) => {
      const account = await ctx.em.findOneOrFail(Account, { id: found.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      // Mailed to an address that has been given up since.
      if (account.email !== link.address || !account.active) throw new AppError('LINK_NOT_VALID');
      await useLink(ctx.em, link, ctx.now());
      await replacePassword(actingAs(ctx, account), account, set);
      return {};
    }, 'all-tenants'),
  );
};
