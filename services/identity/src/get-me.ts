import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { MeSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Account } from './account.ts';
import { TeamMember } from './team-member.ts';
import { Tenant } from './tenant.ts';
import { teamMembershipToProto, tenantToProto } from './to-proto.ts';
import { User } from './user.ts';

/** The caller: names, tenant, roles and teams. Errors: USER_NOT_FOUND. */
export const getMe = async ({ em, tenantId, principal: { id } }: Ctx): Promise<MessageInitShape<typeof MeSchema>> => {
  const account = await em.findOne(Account, { id });
  if (!account) throw new AppError('USER_NOT_FOUND');
  const { email, realmRoles, verified: emailVerified } = account;
  if (tenantId === noTenant) {
    const { firstName, lastName, version } = account;
    return { id, email, firstName, lastName, realmRoles, emailVerified, version };
  }

  const user = await em.findOne(User, { id });
  if (!user) throw new AppError('USER_NOT_FOUND');
  const tenant = await em.findOneOrFail(Tenant, tenantId);
  const teams = await em.find(TeamMember, { tenantId, user: id }, { populate: ['team'], orderBy: { team: { name: 'asc' } } });
  const { firstName, lastName, orgRoles, version } = user;
  return {
    id,
    email,
    emailVerified,
    firstName,
    lastName,
    tenant: tenantToProto(tenant),
    orgRoles,
    realmRoles,
    teams: teams.map(teamMembershipToProto),
    version,
  };
};
