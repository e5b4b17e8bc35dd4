import type { V1ObjectMeta, V1RoleBinding } from '@kubernetes/client-node';
import type { Found } from '../../connector.ts';
import type { Cluster } from './cluster.ts';
import { accessLabel, homeNamespace, nameOf } from './grant-account.ts';

const pageSize = 500;

interface Page<T> {
  items: T[];
  metadata?: { _continue?: string };
}

const all = async <T>(ask: (page: { limit: number; _continue?: string }) => Promise<Page<T>>): Promise<T[]> => {
  const items: T[] = [];
  let _continue: string | undefined;
  do {
    const page = await ask({ limit: pageSize, _continue });
    items.push(...page.items);
    _continue = page.metadata?._continue;
  } while (_continue);
  return items;
};

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whose access an object is by its label: only if it is called as what is made for that access. */
const keyOf = (metadata: V1ObjectMeta | undefined, isCalled: (name: string, key: string) => boolean): string | null => {
  const key = metadata?.labels?.[accessLabel] ?? '';
  return uuid.test(key) && isCalled(metadata?.name ?? '', key) ? key : null;
};

const isItsName = (name: string, key: string): boolean => name === nameOf({ key });

const keysOf = (objects: { metadata?: V1ObjectMeta }[], isCalled = isItsName): Set<string> =>
  new Set(objects.flatMap(({ metadata }) => keyOf(metadata, isCalled) ?? []));

const bindingsIn = ({ rbac }: Cluster, namespaces: readonly string[]): Promise<V1RoleBinding[][]> =>
  Promise.all(namespaces.map((namespace) => all((page) => rbac.listNamespacedRoleBinding({ namespace, ...page }))));

/**
 * The accounts that were made for accesses, in force with a binding in the namespace (each its own where there is none) and something that
 * tokens are bound to; and bindings in the namespaces that others have made.
 */
export const listBindings = async (cluster: Cluster, namespace: string | undefined, expected: readonly string[]): Promise<Found[]> => {
  const { core } = cluster;
  const marked = { namespace: homeNamespace, labelSelector: accessLabel };
  const accounts = await all((page) => core.listNamespacedServiceAccount({ ...marked, ...page }));
  const tokens = keysOf(await all((page) => core.listNamespacedSecret({ ...marked, ...page })), (name, key) =>
    name.startsWith(`${nameOf({ key })}-`),
  );
  const own = expected.map((key) => nameOf({ key }));
  const existing = namespace ? [namespace] : await ownNamespaces(cluster, own);
  const bindings = (await bindingsIn(cluster, existing)).flat();
  const bound = keysOf(bindings);
  const made = accounts.flatMap(({ metadata }): Found[] => {
    const key = keyOf(metadata, isItsName);
    return key ? [{ key, name: metadata?.name ?? '', kind: 'ServiceAccount', inForce: bound.has(key) && tokens.has(key) }] : [];
  });
  const accountsOf = new Set(made.map(({ key }) => key));
  const rest = bindings.flatMap(({ metadata }): Found[] => {
    const key = keyOf(metadata, isItsName);
    if (key && accountsOf.has(key)) return [];
    return [{ key, name: `${metadata?.namespace}/${metadata?.name}`, kind: 'RoleBinding', inForce: key === null }];
  });
  return [...made, ...rest];
};

/** Those of the namespaces that are there, and not about to go. */
const ownNamespaces = async ({ core }: Cluster, names: readonly string[]): Promise<string[]> => {
  const there = await all((page) => core.listNamespace({ labelSelector: accessLabel, ...page }));
  const named = new Set(names);
  return there.flatMap(({ metadata }) =>
    metadata?.name && named.has(metadata.name) && !metadata.deletionTimestamp ? [metadata.name] : [],
  );
};
