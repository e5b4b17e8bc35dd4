import type { CreateUserRequest, UserSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addUser } from './add-user.ts';
import { parseOrgRoles } from './org-role.ts';
import type { IdentityProvider } from './provider.ts';
import { userToProto } from './to-proto.ts';

/** Makes an account and a user of the caller's tenant. Errors: INVALID_FIELDS, PASSWORD_TOO_WEAK, EMAIL_TAKEN. */
export const createUser = async (
  call: Call,
  provider: IdentityProvider,
  { orgRoles, ...person }: CreateUserRequest,
): Promise<MessageInitShape<typeof UserSchema>> => {
  const roles = parseOrgRoles(orgRoles);
  return provider.withAccount(person, (prepared) =>
    call.writeOnce<typeof UserSchema>(async (ctx) => userToProto(await addUser(ctx, await prepared.add(ctx), roles))),
  );
};
