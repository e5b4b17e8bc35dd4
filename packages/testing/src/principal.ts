import { readFileSync } from 'node:fs';
import { newPrincipalKey, type PrincipalKey } from '@accessops/dev';
// By path: this package may not depend on one that is tested with it.
import { createMinter, type Principal } from '../../authn/src/index.ts';
import { infrastructure } from './infrastructure.ts';

const readKey = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as PrincipalKey;

/** The keys that vouch for principals in this run, and the file with their public halves that the services read. */
export const principalKeys = (): { gateway: PrincipalKey; approvals: PrincipalKey; provisioner: PrincipalKey; jwksFile: string } => {
  const { gatewayPrincipalKey, approvalsPrincipalKey, provisionerPrincipalKey, principalJwks } = infrastructure().keyFiles;
  return {
    gateway: readKey(gatewayPrincipalKey),
    approvals: readKey(approvalsPrincipalKey),
    provisioner: readKey(provisionerPrincipalKey),
    jwksFile: principalJwks,
  };
};

/** Somebody logged in with the app audience; a test says what matters to it. */
export const principal = (partial: Partial<Principal> = {}): Principal => ({
  type: 'user',
  id: '00000000-0000-7000-8000-000000000001',
  email: 'somebody@example.test',
  tenantId: null,
  tenantSlug: null,
  audience: 'app',
  orgRoles: [],
  realmRoles: [],
  teams: [],
  licenseTier: 'enterprise',
  flags: [],
  permissions: [],
  mfaLevel: 1,
  mfaEnrolled: false,
  mfaRequired: false,
  riskFlags: [],
  custodianIds: [],
  sessionId: null,
  ...partial,
});

/** A principal token as the gateway mints it (for a service, as the service does). */
export const mintPrincipal = async (partial: Partial<Principal> = {}): Promise<string> => {
  const who = principal(partial);
  const keys = principalKeys();
  const service = who.id === 'provisioner' ? keys.provisioner : keys.approvals;
  const minter = await createMinter(who.type === 'service' ? service : keys.gateway);
  return minter.mint(who);
};

/** A principal token that looks right but is signed by a key that nobody knows. */
export const forgePrincipal = async (partial: Partial<Principal> = {}): Promise<string> =>
  (await createMinter(newPrincipalKey('gateway'))).mint(principal(partial));
