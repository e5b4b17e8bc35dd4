import { SignJWT } from 'jose';
import type { RealmRole } from '../realm-role.ts';
import type { Audience } from '../session.ts';
import type { SigningKey } from './key-ring.ts';
import { accessTokenSeconds } from './lifetimes.ts';

/** What an access token tells of a session. */
export interface Grant {
  sessionId: string;
  subject: string;
  audience: Audience;
  email: string;
  firstName: string;
  lastName: string;
  /** The tenants that the session is good in. */
  organizations: { id: string; slug: string; orgRoles: string[] }[];
  realmRoles: RealmRole[];
  /** Whether a second factor was proved within the session, and counts. */
  secondFactor: boolean;
}

const clients: Record<Audience, { azp: string; aud: string[] }> = {
  app: { azp: 'accessops-app', aud: ['accessops-app'] },
  'org-admin': { azp: 'accessops-org-admin', aud: ['accessops-app', 'accessops-org-admin'] },
  admin: { azp: 'accessops-admin', aud: ['accessops-admin'] },
};

/** Claims of the same shape as the realm of `keycloak` gives: org roles are groups, platform roles stand in admin tokens only. */
export const claimsOf = (grant: Grant) => {
  const { organizations } = grant;
  return {
    sid: grant.sessionId,
    azp: clients[grant.audience].azp,
    acr: grant.secondFactor ? 'aal2' : 'aal1',
    amr: grant.secondFactor ? ['pwd', 'otp'] : ['pwd'],
    email: grant.email,
    given_name: grant.firstName,
    family_name: grant.lastName,
    ...(organizations.length > 0 && {
      organization: Object.fromEntries(
        organizations.map(({ id, slug, orgRoles }) => [slug, { id, groups: orgRoles.map((role) => `/${role}`) }]),
      ),
    }),
    ...(grant.audience === 'admin' && { realm_access: { roles: grant.realmRoles } }),
  };
};

export interface SigningOptions {
  issuer: string;
  signingKey: SigningKey;
  /** The token's own id. */
  id: string;
  now: Date;
}

/** An access token by the JWT profile of RFC 9068, valid for 15 minutes. */
export const signAccessToken = (grant: Grant, { issuer, signingKey, id, now }: SigningOptions): Promise<string> => {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT(claimsOf(grant))
    .setProtectedHeader({ alg: 'RS256', kid: signingKey.kid, typ: 'at+jwt' })
    .setIssuer(issuer)
    .setSubject(grant.subject)
    .setAudience(clients[grant.audience].aud)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .sign(signingKey.key);
};
