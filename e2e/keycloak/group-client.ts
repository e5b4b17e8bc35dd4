import { admin } from './keycloak.ts';

/** A client that may manage members of groups, as docs/connectors.md says. */
export const makeClient = async (clientId: string, secret: string, roles: string[]) => {
  await admin('POST', '/clients', { clientId, secret, serviceAccountsEnabled: true, standardFlowEnabled: false, publicClient: false });
  const idOf = async (name: string) => (await admin<{ id: string }[]>('GET', `/clients?clientId=${name}`))[0]?.id ?? '';
  const [client, management] = [await idOf(clientId), await idOf('realm-management')];
  const { id } = await admin<{ id: string }>('GET', `/clients/${client}/service-account-user`);
  const given = await Promise.all(roles.map((role) => admin('GET', `/clients/${management}/roles/${role}`)));
  await admin('POST', `/users/${id}/role-mappings/clients/${management}`, given);
};
