import type { Authorizer, Subject } from './authorizer.ts';
import type { Attribute, Question } from './decision.ts';

/** A resource and an action, as routes declare them for Cerbos; written `resource:action`. */
export type Permission = string;

const nobody = { id: 'nobody', orgRoles: [], realmRoles: [], teams: [], licenseTier: '', flags: [], riskFlags: [] };
// Whether a second factor has been proved is no part of what somebody has.
const proved = { mfaLevel: 2, mfaEnrolled: true, mfaRequired: false };
// What can be given does not depend on whose tenant it is.
const anyTenant = 'any';

/** Somebody of the tenant with these permissions and nothing else. */
export const holderOf = (permissions: Permission[], tenantId: string, type: 'user' | 'service-account' = 'user'): Subject => ({
  ...nobody,
  ...proved,
  type,
  tenantId,
  audience: 'org-admin',
  permissions,
});

/** A thing of the tenant that is nobody's: what may be done to it is not due to being its owner, holder, member or approver. */
export const thingOfNobody = (tenantId: string): Record<string, Attribute> => ({
  tenantId,
  requesterId: '',
  holderId: '',
  teamId: '',
  custodianIds: [],
  stageRoles: [],
  stageTeams: [],
  sensitivity: 'low',
  pii: false,
  durationSeconds: 1,
  maxDurationSeconds: 1,
  owningTeamId: '',
});

/** The question about a permission, as the gateway asks it or, with attributes, as a service does. */
export const questionOf = (permission: Permission, attributes?: Record<string, Attribute>): Question => {
  const [kind = '', action = ''] = permission.split(':');
  return { kind, action, version: attributes ? 'default' : 'route', attributes };
};

export interface Givable {
  /** By a custom role. */
  toRoles: boolean;
  /** As the scope of a service account. */
  toServiceAccounts: boolean;
}

/** Which permissions can be given at all: those for which having them opens something, in the gateway's eyes. Policies alone say so. */
export const givable = async (authorizer: Authorizer, permissions: Permission[]): Promise<Givable[]> => {
  const questions = permissions.map((permission) => questionOf(permission));
  // One after the other: there are many, and who asks for a single decision meanwhile is not to wait for all of them.
  const opened = async (type: 'user' | 'service-account') => {
    const having = await authorizer.allowed(holderOf(permissions, anyTenant, type), questions);
    const lacking = await authorizer.allowed(holderOf([], anyTenant, type), questions);
    return permissions.map((_, index) => having[index] === true && lacking[index] === false);
  };
  const person = await opened('user');
  const machine = await opened('service-account');
  return permissions.map((_, index) => ({
    // What every member has by themselves makes a difference to machines only; it does no harm in a role.
    toRoles: person[index] === true || machine[index] === true,
    toServiceAccounts: machine[index] === true,
  }));
};

/**
 * Which permissions each of these has, who are all of one tenant: whatever a permission opens to its holder on a thing of nobody's is open
 * to them too.
 */
export const haveEach = async (authorizer: Authorizer, subjects: Subject[], permissions: Permission[]): Promise<boolean[][]> => {
  const tenantId = subjects[0]?.tenantId ?? '';
  const questions = permissions.map((permission) => questionOf(permission, thingOfNobody(tenantId)));
  const holder = await authorizer.allowed(holderOf(permissions, tenantId), questions);
  const answers: boolean[][] = [];
  for (const subject of subjects) {
    const found = await authorizer.allowed({ ...subject, ...proved }, questions);
    answers.push(permissions.map((_, index) => holder[index] === false || found[index] === true));
  }
  return answers;
};
