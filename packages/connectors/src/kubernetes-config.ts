import { z } from 'zod';
import { loginName } from './login-name.ts';

const label = z.string().regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace');
const clusterRole = z.string().regex(/^[a-zA-Z0-9](?:[-a-zA-Z0-9.:]{0,251}[a-zA-Z0-9])?$/, 'must be the name of a ClusterRole');

/** A namespace of a cluster, and what each access role may do there. */
export const kubernetesConfig = z.strictObject({
  login: loginName.describe('Which of the clusters that the provisioner has been given to use.'),
  namespace: label
    .refine((name) => !name.startsWith('accessops') && !name.startsWith('kube-'), 'must not be a namespace of Kubernetes or AccessOps')
    .optional()
    .describe('The namespace that access is given to. Without it, each grant has a namespace of its own, which is deleted at the end.'),
  roles: z.record(z.string(), clusterRole).describe('For each role that can be asked for: the ClusterRole that it means in the namespace.'),
});

export type KubernetesConfig = z.infer<typeof kubernetesConfig>;
