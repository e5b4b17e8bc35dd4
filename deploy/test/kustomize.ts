import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const root = join(import.meta.dirname, '../..');

export interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  volumeMounts?: { name: string; mountPath: string }[];
  ports?: { containerPort: number }[];
  resources?: { limits?: { memory?: string }; requests?: { memory?: string; cpu?: string } };
  securityContext?: { readOnlyRootFilesystem?: boolean };
  startupProbe?: object;
  livenessProbe?: object;
  readinessProbe?: object;
  lifecycle?: { preStop?: object };
}

export interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: {
    containers: Container[];
    initContainers?: Container[];
    automountServiceAccountToken?: boolean;
    topologySpreadConstraints?: object[];
  };
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: { template: PodTemplate };
}

const k8s = join(root, 'deploy/k8s');
const built = new Map<string, string>();

/** The text that `kubectl apply -k` would send. */
export const kustomize = (overlay: string): string => {
  const build = () => execFileSync('kubectl', ['kustomize', join(k8s, overlay)], { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  const text = built.get(overlay) ?? build();
  built.set(overlay, text);
  return text;
};

/** What an overlay holds with components besides, as an operator would add them. */
export const kustomizeWith = (overlay: string, ...components: string[]): string => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-overlay-'));
  try {
    const from = (path: string) => relative(folder, join(k8s, path));
    const own = { resources: [from(overlay)], components: components.map((name) => from(`components/${name}`)) };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(own));
    return kustomize(relative(k8s, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

export const manifestsIn = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS() as Manifest);

export const manifestsOf = (overlay: string): Manifest[] => manifestsIn(kustomize(overlay));

export const workloadsOf = (manifests: Manifest[]): Manifest[] =>
  manifests.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
