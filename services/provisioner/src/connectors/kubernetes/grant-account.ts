import { type Access, ConnectorError, nothingToExtend } from '../../connector.ts';
import { type Cluster, statusOf, unlessMissing } from './cluster.ts';

/** The namespace at the target that is ours: service accounts of grants live there. */
export const homeNamespace = 'accessops';

const attemptNote = 'accessops/attempt';
/** Which access an object belongs to. */
export const accessLabel = 'accessops/access';
// Kubernetes gives no token for less.
const shortestTokenSeconds = 600;

/** What the objects of one access are called: made from its key alone. */
export const nameOf = ({ key }: Pick<Access, 'key'>): string => `accessops-${key.replaceAll('-', '')}`;

/** The namespace that access is given to, and whether it is there for this access alone. */
export interface Place {
  namespace: string;
  own: boolean;
}

const metadataOf = (name: string, access: Access) => ({
  name,
  labels: { [accessLabel]: access.key, 'app.kubernetes.io/managed-by': 'accessops' },
  annotations: { [attemptNote]: String(access.fence) },
});

/** Which attempt was at the access last; undefined when there is none. */
const attemptAt = async ({ core }: Cluster, name: string): Promise<{ fence: number; version?: string } | undefined> => {
  const account = await unlessMissing(core.readNamespacedServiceAccount({ name, namespace: homeNamespace }));
  return account && { fence: Number(account.metadata?.annotations?.[attemptNote] ?? 0), version: account.metadata?.resourceVersion };
};

/** Leaves what is there already as it is. */
const ensure = async (made: Promise<unknown>): Promise<void> => {
  try {
    await made;
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
};

/** Notes the attempt at the account, and makes that when it is not there. Of two workers at once the cluster lets one through. */
const claim = async (cluster: Cluster, access: Access): Promise<void> => {
  const name = nameOf(access);
  const seen = await attemptAt(cluster, name);
  if (seen && seen.fence > access.fence) throw new ConnectorError('failed', 'The cluster has heard from a later worker');
  const { core } = cluster;
  const body = { metadata: metadataOf(name, access), automountServiceAccountToken: false };
  if (!seen) await core.createNamespacedServiceAccount({ namespace: homeNamespace, body });
  else {
    const metadata = { ...body.metadata, resourceVersion: seen.version };
    await core.replaceNamespacedServiceAccount({ name, namespace: homeNamespace, body: { ...body, metadata } });
  }
};

const removeSecrets = async ({ core }: Cluster, access: Access): Promise<void> => {
  const { items } = await core.listNamespacedSecret({ namespace: homeNamespace, labelSelector: `${accessLabel}=${access.key}` });
  for (const { metadata } of items) {
    await unlessMissing(core.deleteNamespacedSecret({ name: metadata?.name ?? '', namespace: homeNamespace }));
  }
};

/** A token that is good until the end, as long as the secret that it is bound to is there. */
const issueToken = async ({ core }: Cluster, access: Access): Promise<string> => {
  const name = nameOf(access);
  const secret = await core.createNamespacedSecret({
    namespace: homeNamespace,
    body: { metadata: metadataOf(`${name}-${access.fence}`, access), immutable: true },
  });
  const { status } = await core.createNamespacedServiceAccountToken({
    name,
    namespace: homeNamespace,
    body: {
      spec: {
        audiences: [],
        expirationSeconds: Math.max(shortestTokenSeconds, Math.ceil(access.durationMs / 1000)),
        boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: secret.metadata?.name, uid: secret.metadata?.uid },
      },
    },
  });
  if (!status?.token) throw new ConnectorError('unknown', 'The cluster has given no token');
  return status.token;
};

/** What gives the account of this name a role in a namespace. */
export const bindingOf = (metadata: { name: string }, clusterRole: string) => ({
  metadata,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
  subjects: [{ kind: 'ServiceAccount', name: metadata.name, namespace: homeNamespace }],
});

/** Makes the access, or makes it anew; answers a token for it, and no former one is good any more. */
export const makeAccount = async (cluster: Cluster, access: Access, { namespace, own }: Place, clusterRole: string): Promise<string> => {
  const { core, rbac } = cluster;
  const name = nameOf(access);
  await claim(cluster, access);
  if (own) await ensure(core.createNamespace({ body: { metadata: metadataOf(namespace, access) } }));
  await removeSecrets(cluster, access);
  await ensure(
    rbac.createNamespacedRoleBinding({
      namespace,
      body: bindingOf(metadataOf(name, access), clusterRole),
    }),
  );
  return issueToken(cluster, access);
};

/** Answers one more token, which lasts longer; the former ones stay good until their own end. */
export const prolongAccount = async (cluster: Cluster, access: Access, { namespace }: Place): Promise<string> => {
  const name = nameOf(access);
  const bound = await unlessMissing(cluster.rbac.readNamespacedRoleBinding({ name, namespace }));
  if (!bound || !(await attemptAt(cluster, name))) throw nothingToExtend();
  await claim(cluster, access);
  return issueToken(cluster, access);
};

/** Removes the access: the right first, then the token, then what is left. */
export const removeAccount = async (cluster: Cluster, access: Access, { namespace, own }: Place): Promise<void> => {
  const { core, rbac } = cluster;
  const name = nameOf(access);
  const seen = await attemptAt(cluster, name);
  if (seen && seen.fence > access.fence) return;
  await unlessMissing(rbac.deleteNamespacedRoleBinding({ name, namespace }));
  await removeSecrets(cluster, access);
  if (own) await unlessMissing(core.deleteNamespace({ name: namespace }));
  // What tells that there is something to remove goes last.
  await unlessMissing(core.deleteNamespacedServiceAccount({ name, namespace: homeNamespace }));
};

/** Whether anything of the access is there; a namespace that is being deleted takes nothing new. */
export const isThere = async (cluster: Cluster, access: Access, { namespace, own }: Place): Promise<boolean> => {
  const { core, rbac } = cluster;
  const name = nameOf(access);
  if (await attemptAt(cluster, name)) return true;
  if (own) {
    const found = await unlessMissing(core.readNamespace({ name: namespace }));
    return found !== undefined && !found.metadata?.deletionTimestamp;
  }
  return (await unlessMissing(rbac.readNamespacedRoleBinding({ name, namespace }))) !== undefined;
};
