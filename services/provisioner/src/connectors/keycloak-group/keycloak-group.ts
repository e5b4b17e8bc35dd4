import { keycloakGroupConfig } from '@accessops/connectors';
import type { Access, Connector } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { meaningOf, readConfig } from '../read-config.ts';
import type { KeycloakLogin } from './keycloak-login.ts';
import { isNoted, join, listMembers, part } from './membership.ts';
import { type Realm, saidIn, statusOf, withRealm } from './realm.ts';

/** Which groups an operator lets a login give. */
const mayGive =
  ({ settings: { GROUPS } }: Login<KeycloakLogin>) =>
  (path: string): boolean =>
    GROUPS === undefined || GROUPS.split(',').some((one) => `${path}/`.startsWith(`${one.trim().replace(/\/$/, '')}/`));

/** Gives access by membership in groups of a Keycloak realm, the one that holders sign in at. What it needs there is in docs/connectors.md. */
export const createKeycloakGroupConnector = (logins: Logins<KeycloakLogin>): Connector => {
  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const config = readConfig(keycloakGroupConfig, access);
    return { login: loginOf(logins, config.login, access), group: meaningOf(config.roles, access) };
  };

  return {
    plan: async (access) => {
      const { login, group } = open(access);
      return {
        steps: [
          `Put the holder into the group ${group} of the realm ${login.settings.REALM}`,
          'At the end: take them out again, unless they are there for another reason',
        ],
      };
    },

    apply: async (access, signal) => {
      const { login, group } = open(access);
      const path = await withRealm(login, signal, (realm) => join(realm, access, group, mayGive(login)));
      return { handle: { group }, credential: { group: path } };
    },

    verify: async (access, signal) => {
      const { login, group } = open(access, loginOfGiven);
      return withRealm(login, signal, (realm) => isNoted(realm, access, group));
    },

    revoke: async (access, signal) => {
      const { login, group } = open(access, loginOfGiven);
      await withRealm(login, signal, (realm) => part(realm, access, group));
    },

    list: async (site, signal) => {
      const { login: name, roles } = readConfig(keycloakGroupConfig, site);
      const groups = [...new Set(Object.values(roles))];
      return listBy(logins, name, site, (login) => withRealm(login, signal, (realm) => listMembers(realm, groups)));
    },

    check: async (trial, signal) => {
      const config = keycloakGroupConfig.parse(trial.config);
      const look = async ({ client }: Realm, may: (path: string) => boolean) => {
        const asked = trial.roles.map(async (role) => {
          const id = meaningOf(config.roles, { role });
          const problem = (message: string) => [{ pointer: `/roles/${role}`, message }];
          try {
            const found = await client.groups.findOne({ id });
            if (!found) return problem('is no group of the realm');
            return may(found.path ?? '') ? [] : problem('is no group that this login may give');
          } catch (error) {
            // Of an organization, for one.
            if (statusOf(error) === 400) return problem(`is refused by the realm: ${saidIn(error)}`);
            throw error;
          }
        });
        return (await Promise.all(asked)).flat();
      };
      return tryLogin(logins, config.login, trial, (login) => withRealm(login, signal, (realm) => look(realm, mayGive(login))));
    },
  };
};
