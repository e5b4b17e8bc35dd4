import type { ConfigProblem, KubernetesConfig } from '@accessops/connectors';
import type { RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { meaningOf } from '../read-config.ts';
import { saidIn, statusOf } from './cluster.ts';
import { bindingOf } from './grant-account.ts';

const isThere = (rbac: RbacAuthorizationV1Api, name: string): Promise<boolean> =>
  rbac.readClusterRole({ name }).then(
    () => true,
    // Whoever may not look cannot tell.
    (error: unknown) => statusOf(error) !== 404,
  );

/** What keeps these roles from being bound in a namespace: the cluster is asked to do it, but for trying. */
export const bindingProblems = async (
  rbac: RbacAuthorizationV1Api,
  namespace: string,
  { roles }: KubernetesConfig,
  wanted: readonly string[],
): Promise<ConfigProblem[]> => {
  const tried = wanted.map(async (role) => {
    const clusterRole = meaningOf(roles, { role });
    const problem = (message: string) => [{ pointer: `/roles/${role}`, message }];
    if (!(await isThere(rbac, clusterRole))) return problem('does not exist at the target');
    const body = bindingOf({ name: 'accessops-check' }, clusterRole);
    return rbac.createNamespacedRoleBinding({ namespace, body, dryRun: 'All' }).then(
      () => [],
      (error: unknown) => {
        if (statusOf(error) !== 403 && statusOf(error) !== 404) throw error;
        return problem(`cannot be bound by this login: ${saidIn(error)}`);
      },
    );
  });
  return (await Promise.all(tried)).flat();
};
