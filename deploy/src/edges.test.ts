import { describe, expect, it } from 'vitest';
import { type NetworkPolicy, openEdges } from './edges.ts';

const pod = (name: string) => ({ name, labels: { name }, ports: [80] });
const [a, b] = [pod('a'), pod('b')];

const policy = (spec: Partial<NetworkPolicy['spec']>): NetworkPolicy => ({
  metadata: { name: 'policy' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ...spec },
});

const deny = policy({});
const out = policy({ podSelector: { matchLabels: { name: 'a' } }, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }] });
const into = (port: number) =>
  policy({
    podSelector: { matchLabels: { name: 'b' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { name: 'a' } } }], ports: [{ port }] }],
  });

describe('openEdges', () => {
  it('when there are no policies, then everything is open', () => {
    expect(openEdges([], [a, b])).toEqual(['a → a:80', 'a → b:80', 'b → a:80', 'b → b:80']);
  });

  it('when all is denied, then nothing is open', () => {
    expect(openEdges([deny], [a, b])).toEqual([]);
  });

  it('when only one end allows it, then it is closed', () => {
    expect(openEdges([deny, out], [a, b])).toEqual([]);
    expect(openEdges([deny, into(80)], [a, b])).toEqual([]);
  });

  it('when both ends allow it, then it is open in that direction', () => {
    expect(openEdges([deny, out, into(80)], [a, b])).toEqual(['a → b:80']);
  });

  it('when the port is another one, then it is closed', () => {
    expect(openEdges([deny, out, into(81)], [a, b])).toEqual([]);
  });
});
