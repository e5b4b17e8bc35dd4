import type { Standing } from './merge-standing.ts';

const organization = 'organization:';

/** A person's names as one piece. */
export const namesOf = ({ firstName = '', lastName = '' }: { firstName?: string; lastName?: string }): string =>
  JSON.stringify([firstName, lastName]);

/** The roles of a piece. */
export const rolesIn = (value: string): string[] => (value === '' ? [] : value.split(','));

/** The slug of the organisation that a piece is about, if it is about one. */
export const organizationOf = (piece: string): string | undefined =>
  piece.startsWith(organization) ? piece.slice(organization.length) : undefined;

/** The standing of a person in pieces that can be compared. Roles must come in a fixed order. */
export const pieces = (person: {
  enabled: boolean;
  names: string;
  email: string;
  verified: boolean;
  realmRoles: readonly string[];
  /** By what Keycloak calls the authenticator app that was set up here, if there is one. */
  secondFactor?: string;
  organizations?: (readonly [slug: string, roles: readonly string[]])[];
}): Standing => ({
  enabled: String(person.enabled),
  names: person.names,
  email: person.email,
  verified: String(person.verified),
  secondFactor: person.secondFactor ?? '',
  realmRoles: person.realmRoles.join(),
  ...Object.fromEntries((person.organizations ?? []).map(([slug, roles]) => [`${organization}${slug}`, roles.join()])),
});
