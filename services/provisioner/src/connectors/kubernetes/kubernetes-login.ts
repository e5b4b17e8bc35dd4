import { z } from 'zod';

/** A cluster, and the token of a service account there, see deploy/targets/kubernetes.yaml. */
export const kubernetesLogin = z.object({
  /** Of the API server; holders of access use it too. */
  URL: z.url({ protocol: /^https$/, error: 'must be the https address of an API server' }),
  /** PEM: who signs the certificate of the API server, when that is nobody whom everybody knows. */
  CA: z
    .string()
    .regex(/^-----BEGIN CERTIFICATE-----/, 'must be certificates in PEM')
    .optional(),
  /** Of the service account. */
  TOKEN: z.string('must be the token of a service account').min(1, 'must be the token of a service account'),
});

export type KubernetesLogin = z.infer<typeof kubernetesLogin>;
