import { AppError } from '@accessops/errors';

/** The roles that somebody can hold in a tenant. */
export const orgRoles = ['admin', 'manager', 'approver', 'requester', 'auditor'] as const;

export type OrgRole = (typeof orgRoles)[number];

const isOrgRole = (role: string): role is OrgRole => (orgRoles as readonly string[]).includes(role);

/** Known roles, each once and in a fixed order. Errors: INVALID_FIELDS, naming each that is unknown. */
export const parseOrgRoles = (roles: string[]): OrgRole[] => {
  const fields = roles.flatMap((role, index) =>
    isOrgRole(role) ? [] : [{ pointer: `/orgRoles/${index}`, message: `must be one of ${orgRoles.join(', ')}` }],
  );
  if (fields.length > 0) throw new AppError('INVALID_FIELDS', undefined, { fields });
  return orgRoles.filter((role) => roles.includes(role));
};
