import { kubernetesConfig } from '@accessops/connectors';
import type { Access, Connector } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { meaningOf, readConfig } from '../read-config.ts';
import { bindingProblems } from './binding-problems.ts';
import { type Cluster, unlessMissing, withCluster } from './cluster.ts';
import { homeNamespace, isThere, makeAccount, nameOf, type Place, prolongAccount, removeAccount } from './grant-account.ts';
import type { KubernetesLogin } from './kubernetes-login.ts';
import { listBindings } from './list-bindings.ts';

/**
 * Gives access to namespaces of Kubernetes clusters: a service account per grant, a RoleBinding in the namespace, and a token that is bound
 * to an object which is deleted at the end. What it needs at the target is in docs/connectors.md.
 */
export const createKubernetesConnector = (logins: Logins<KubernetesLogin>): Connector => {
  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const config = readConfig(kubernetesConfig, access);
    const place: Place = { namespace: config.namespace ?? nameOf(access), own: config.namespace === undefined };
    return { config, place, login: loginOf(logins, config.login, access) };
  };

  const credentialOf = ({ settings: { URL: server, CA } }: Login<KubernetesLogin>, { namespace }: Place, token: string) => ({
    server,
    ...(CA && { certificateAuthority: CA }),
    namespace,
    token,
  });

  return {
    plan: async (access) => {
      const { config, place } = open(access);
      return {
        steps: [
          place.own
            ? `Make the namespace ${place.namespace}, which is deleted at the end with all that is in it`
            : `Use the namespace ${place.namespace}`,
          `Bind the ClusterRole ${meaningOf(config.roles, access)} there to a service account of its own, and give out a token for it`,
          'At the end: remove the binding, the token and the account',
        ],
      };
    },

    apply: async (access, signal) => {
      const { config, place, login } = open(access);
      const role = meaningOf(config.roles, access);
      const token = await withCluster(login, signal, (cluster) => makeAccount(cluster, access, place, role));
      return { handle: { serviceAccount: nameOf(access), namespace: place.namespace }, credential: credentialOf(login, place, token) };
    },

    extend: async (access, signal) => {
      const { place, login } = open(access);
      return credentialOf(login, place, await withCluster(login, signal, (cluster) => prolongAccount(cluster, access, place)));
    },

    verify: async (access, signal) => {
      const { place, login } = open(access, loginOfGiven);
      return withCluster(login, signal, (cluster) => isThere(cluster, access, place));
    },

    revoke: async (access, signal) => {
      const { place, login } = open(access, loginOfGiven);
      await withCluster(login, signal, (cluster) => removeAccount(cluster, access, place));
    },

    list: async (site, signal) => {
      const { login: name, namespace } = readConfig(kubernetesConfig, site);
      const look = (cluster: Cluster) => listBindings(cluster, namespace, site.expected);
      return listBy(logins, name, site, (login) => withCluster(login, signal, look));
    },

    check: async (trial, signal) => {
      const config = kubernetesConfig.parse(trial.config);
      const { login: name, namespace } = config;
      const look = async ({ core, rbac }: Cluster) => {
        await core.listNamespacedSecret({ namespace: homeNamespace, limit: 1 });
        if (!namespace) return bindingProblems(rbac, homeNamespace, config, trial.roles);
        // Nothing can be bound in a namespace that there is not.
        await unlessMissing(rbac.readNamespacedRoleBinding({ name: 'accessops-check', namespace }));
        const found = await unlessMissing(core.readNamespace({ name: namespace }));
        if (!found) return [{ pointer: '/namespace', message: 'does not exist at the target' }];
        return bindingProblems(rbac, namespace, config, trial.roles);
      };
      return tryLogin(logins, name, trial, (login) => withCluster(login, signal, look));
    },
  };
};
