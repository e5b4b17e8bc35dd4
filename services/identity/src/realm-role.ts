/** The roles of platform staff, who belong to no tenant by them. */
export const realmRoles = ['platform-admin', 'platform-support'] as const;

export type RealmRole = (typeof realmRoles)[number];
