import type { Authorizer } from '@accessops/authz';
import type { CreateUserRequest, UserSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addUser } from './add-user.ts';
import { parseEmail } from './email.ts';
import { assertMayGive, lockGiver } from './giver.ts';
import { mailVerification } from './links/verify-email.ts';
import type { QueueMail } from './mail/queue-mail.ts';
import { parseOrgRoles } from './org-role.ts';
import type { IdentityProvider } from './provider.ts';
import type { Settings } from './settings/settings.ts';
import { assertDomainIn, passwordLengthIn } from './tenant-rules.ts';
import { userToProto } from './to-proto.ts';

/** Makes an account and a user of the caller's tenant. Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK, EMAIL_TAKEN, LICENSE_LIMIT_REACHED, CANNOT_GIVE, TOO_MANY_MAILS. */
export const createUser = async (
  call: Call,
  authorizer: Authorizer,
  { provider, settings, queueMail }: { provider: IdentityProvider; settings: Settings; queueMail: QueueMail },
  { orgRoles, ...person }: CreateUserRequest,
): Promise<MessageInitShape<typeof UserSchema>> => {
  const roles = parseOrgRoles(orgRoles);
  const email = parseEmail(person.email);
  const minLength = await call.read(async ({ em, tenantId }) => {
    await assertDomainIn(em, settings, [tenantId], { email });
    return passwordLengthIn(em, settings, [tenantId]);
  });
  return provider.withAccount({ ...person, minLength }, (prepared) =>
    call.writeOnce<typeof UserSchema>(async (ctx) => {
      const giver = await lockGiver(ctx);
      await assertMayGive(ctx, authorizer, giver, { orgRoles: roles });
      const account = await prepared.add(ctx);
      await mailVerification(ctx, queueMail, account);
      return userToProto(await addUser(ctx, account, roles));
    }),
  );
};
