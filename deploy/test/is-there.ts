import { spawnSync } from 'node:child_process';

const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Programs and servers that are not of the project, and whether they are there. */
const outside = {
  promtool: () => works('promtool', '--version'),
  prometheus: () => works('prometheus', '--version'),
  kubectl: () => works('kubectl', 'version', '--client'),
  'a Kubernetes API server, named by TEST_KUBECONFIG,': () =>
    Boolean(process.env.TEST_KUBECONFIG) && works('kubectl', `--kubeconfig=${process.env.TEST_KUBECONFIG}`, 'get', '--raw=/readyz'),
  go: () => works('go', 'version'),
  'a Docker Engine with compose': () => works('docker', 'info') && works('docker', 'compose', 'version'),
};

/** Whether something from outside is there that a suite needs. Without it the suite is left out, and says so; with CI=true it fails. */
export const isThere = (needed: keyof typeof outside): boolean => {
  if (outside[needed]()) return true;
  if (process.env.CI) throw new Error(`${needed} is needed here`);
  process.stderr.write(`Left out, because ${needed} is not there.\n`);
  return false;
};
