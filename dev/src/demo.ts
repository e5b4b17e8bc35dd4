/** Password of everybody in the demo data, and only there. */
export const demoPassword = 'accessops-demo-2026';

/** People of each demo tenant: the name before the @, and what they may do. */
export const demoPeople = [
  { name: 'manager', firstName: 'Mara', lastName: 'Manager', orgRoles: ['manager'] },
  { name: 'approver1', firstName: 'Anna', lastName: 'Approver', orgRoles: ['approver'] },
  { name: 'approver2', firstName: 'Abel', lastName: 'Approver', orgRoles: ['approver'] },
  { name: 'requester', firstName: 'Rosa', lastName: 'Requester', orgRoles: ['requester'] },
  { name: 'auditor', firstName: 'Otto', lastName: 'Auditor', orgRoles: ['auditor'] },
] as const;

/** The demo tenants; the second one is there to be isolated from. */
export const demoTenants = [
  { slug: 'acme', name: 'Acme Corporation' },
  { slug: 'globex', name: 'Globex Corporation' },
] as const;

/** People who run the platform and belong to no tenant. */
export const platformUsers = [
  { email: 'root@accessops.test', firstName: 'Ruth', lastName: 'Root', password: demoPassword, realmRoles: ['platform-admin'] },
  { email: 'support@accessops.test', firstName: 'Sven', lastName: 'Support', password: demoPassword, realmRoles: ['platform-support'] },
];

export const emailOf = (name: string, tenant: string): string => `${name}@${tenant}.test`;
