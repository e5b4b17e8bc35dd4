import { existsSync } from 'node:fs';
import { StartError } from './start-error.ts';

/**
 * The kubeconfig of a cluster for tests, which TEST_KUBECONFIG names: an administrator's, for they make namespaces and roles. Undefined when
 * there is none, which is told; with CI=true that is a StartError.
 */
export const findTestCluster = (progress: (line: string) => void): string | undefined => {
  const named = process.env.TEST_KUBECONFIG;
  if (named && existsSync(named)) return named;
  const missing = 'A Kubernetes API server for tests is missing: please name the kubeconfig of an administrator in TEST_KUBECONFIG.';
  if (process.env.CI === 'true') throw new StartError(missing);
  progress(`${missing} Tests that need it are left out.`);
  return undefined;
};
