import { newId } from '@accessops/db';
import { openKubeCluster } from '../kube-cluster.ts';
import { page, plain, type RealTarget } from './real-target.ts';

/** A namespace of a real cluster; undefined when there is none for tests. */
export const startKubernetes = async (): Promise<RealTarget | undefined> => {
  const cluster = await openKubeCluster();
  if (!cluster) return undefined;
  const { core, rbac } = cluster;
  const namespace = `team-${newId()}`;
  await cluster.makeNamespace(namespace);
  const nameOf = (key: string) => `accessops-${plain(key)}`;
  const home = 'accessops';
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
  return {
    connector: 'kubernetes',
    port: cluster.port,
    login: (port) => ({ ...cluster.secure(port), TOKEN: cluster.token }),
    config: (login) => ({ login, namespace, roles: { reader: 'view' } }),
    letsIn: async ({ token }) => (await cluster.as(token, 'GET', `/api/v1/namespaces/${namespace}/configmaps`)) === 200,
    endOf: async (_, { token }) => {
      const claims = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
      return new Date(claims.exp * 1000);
    },
    objectsOf: async (key) => {
      const labelSelector = `accessops/access=${key}`;
      const [accounts, secrets, bindings] = await Promise.all([
        core.listNamespacedServiceAccount({ namespace: home, labelSelector }),
        core.listNamespacedSecret({ namespace: home, labelSelector }),
        rbac.listNamespacedRoleBinding({ namespace, labelSelector }),
      ]);
      const all = { account: accounts.items, secret: secrets.items, binding: bindings.items };
      return Object.entries(all).flatMap(([kind, items]) => items.map(() => kind));
    },
    moments: { halfway: /POST \S+\/rolebindings/, given: /POST \S+\/token/, taken: /DELETE \S+\/serviceaccounts/ },
    strangers: [page('html'), page('json'), page('html', '404 Not Found')],
    takeAway: async (key) => {
      await rbac.deleteNamespacedRoleBinding({ name: nameOf(key), namespace });
    },
    leave: async (key) => {
      const metadata = { name: nameOf(key), labels: { 'accessops/access': key } };
      await core.createNamespacedServiceAccount({ namespace: home, body: { metadata } });
      const subjects = [{ kind: 'ServiceAccount', name: nameOf(key), namespace: home }];
      await rbac.createNamespacedRoleBinding({ namespace, body: { metadata, roleRef, subjects } });
    },
    giveToOther: async () => {
      const name = `other-${newId()}`;
      await rbac.createNamespacedRoleBinding({
        namespace,
        body: { metadata: { name }, roleRef, subjects: [{ kind: 'User', name: 'somebody', apiGroup: 'rbac.authorization.k8s.io' }] },
      });
      return `${namespace}/${name}`;
    },
    close: async () => {
      await core.deleteNamespace({ name: namespace });
      await cluster.close();
    },
  };
};
