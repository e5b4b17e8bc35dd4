import type { CreateUserRequest, UserSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addUser } from './add-user.ts';
import { mailVerification } from './links/verify-email.ts';
import type { QueueMail } from './mail/queue-mail.ts';
import { parseOrgRoles } from './org-role.ts';
import type { IdentityProvider } from './provider.ts';
import { userToProto } from './to-proto.ts';

/** Makes an account and a user of the caller's tenant. Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK, EMAIL_TAKEN. */
export const createUser = async (
  call: Call,
  { provider, queueMail }: { provider: IdentityProvider; queueMail: QueueMail },
  { orgRoles, ...person }: CreateUserRequest,
): Promise<MessageInitShape<typeof UserSchema>> => {
  const roles = parseOrgRoles(orgRoles);
  return provider.withAccount(person, (prepared) =>
    call.writeOnce<typeof UserSchema>(async (ctx) => {
      const account = await prepared.add(ctx);
      await mailVerification(ctx, queueMail, account);
      return userToProto(await addUser(ctx, account, roles));
    }),
  );
};
