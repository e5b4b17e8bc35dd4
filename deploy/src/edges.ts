/** Labels of a pod. */
type Labels = Record<string, string>;

interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}

interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { protocol?: string; port: number | string }[];
}

export interface NetworkPolicy {
  metadata: { name: string };
  spec: { podSelector: Selector; policyTypes: string[]; ingress?: Rule[]; egress?: Rule[] };
}

export interface Pod {
  name: string;
  labels: Labels;
  /** Ports it listens on. */
  ports: number[];
}

const matches = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values = [] }) => {
    if (operator !== 'In') throw new Error(`operator ${operator} is not understood here`);
    return values.includes(labels[key] ?? '');
  });

/** Whether a peer is a pod of the same namespace. A block of addresses may hold any pod. */
const means = (peer: Peer, pod: Pod): boolean =>
  peer.ipBlock ? true : !peer.namespaceSelector && peer.podSelector !== undefined && matches(peer.podSelector, pod.labels);

const openPort = ({ ports }: Rule, port: number): boolean =>
  !ports || ports.some((open) => open.port === port && (open.protocol ?? 'TCP') === 'TCP');

const allows = (policies: NetworkPolicy[], direction: 'Ingress' | 'Egress', of: Pod, other: Pod, port: number): boolean => {
  const own = policies.filter(({ spec }) => spec.policyTypes.includes(direction) && matches(spec.podSelector, of.labels));
  // A pod that no policy selects is open to all.
  if (own.length === 0) return true;
  return own.some(({ spec }) =>
    ((direction === 'Ingress' ? spec.ingress : spec.egress) ?? []).some((rule) => {
      const peers = direction === 'Ingress' ? rule.from : rule.to;
      return openPort(rule, port) && (!peers || peers.some((peer) => means(peer, other)));
    }),
  );
};

/** Every connection between two pods of the namespace that its policies let through at both ends, as `from → to:port`. */
export const openEdges = (policies: NetworkPolicy[], pods: Pod[]): string[] =>
  pods
    .flatMap((from) =>
      pods.flatMap((to) =>
        to.ports
          .filter((port) => allows(policies, 'Egress', from, to, port) && allows(policies, 'Ingress', to, from, port))
          .map((port) => `${from.name} → ${to.name}:${port}`),
      ),
    )
    .toSorted();

const nameOf = ({ ipBlock, namespaceSelector }: Peer): string[] => {
  if (ipBlock) return [ipBlock.cidr];
  return namespaceSelector
    ? [
        Object.entries(namespaceSelector.matchLabels ?? {})
          .join(' ')
          .replace(',', '='),
      ]
    : [];
};

/** Every opening towards or from what is not a pod of the namespace, as `pod → outside` or `outside → pod`. */
export const openingsOutside = (policies: NetworkPolicy[], pods: Pod[]): string[] =>
  policies
    .flatMap(({ spec }) => {
      const selected = pods.filter(({ labels }) => matches(spec.podSelector, labels)).map(({ name }) => name);
      const who = selected.length === pods.length ? ['every pod'] : selected;
      const outwards = (spec.egress ?? []).flatMap(({ to }) => (to ?? [{ ipBlock: { cidr: 'everywhere' } }]).flatMap(nameOf));
      const inwards = (spec.ingress ?? []).flatMap(({ from }) => (from ?? [{ ipBlock: { cidr: 'everywhere' } }]).flatMap(nameOf));
      return who.flatMap((pod) => [...outwards.map((place) => `${pod} → ${place}`), ...inwards.map((place) => `${place} → ${pod}`)]);
    })
    .toSorted();
