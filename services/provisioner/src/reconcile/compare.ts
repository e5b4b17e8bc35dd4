import type { Found } from '../connector.ts';

/** What is known of a key that was found at a target. */
export interface Known {
  key: string;
  tenantId: string;
  resourceId: string;
  /**
   * `over`: its job has ended, and its grant, if there was one. `live`: a grant stands for it. `moving`: a job is about to make it or to
   * take it away.
   */
  state: 'live' | 'moving' | 'over';
}

/** Whose access is being looked at. */
export interface Whose {
  tenantId: string;
  resourceId: string;
}

export interface Comparison {
  /** Keys of active grants that are not in force at the target. */
  missing: string[];
  /** What is left of access that has ended. */
  surplus: (Found & { key: string })[];
  /** What others have given, or made with a key that nobody here has heard of. */
  foreign: Found[];
}

/**
 * Compares what was found at a target with the keys that have to be there. A mark alone makes nothing ours: only what this tenant's jobs have
 * made for this very resource is. What was made for another one is judged there, and is not told of here.
 */
export const compare = (found: readonly Found[], expected: readonly string[], known: readonly Known[], whose: Whose): Comparison => {
  const inForce = new Set(found.flatMap(({ key, inForce }) => (key !== null && inForce ? [key] : [])));
  const byKey = new Map(known.map((one) => [one.key, one]));
  const comparison: Comparison = { missing: expected.filter((key) => !inForce.has(key)), surplus: [], foreign: [] };
  for (const one of found) {
    const { key } = one;
    const access = key === null ? undefined : byKey.get(key);
    // What others have marked as we do, for somewhere else, is not about this resource.
    if (key === null || !access) comparison.foreign.push(...(one.inForce ? [one] : []));
    else if (access.tenantId === whose.tenantId && access.resourceId === whose.resourceId && access.state === 'over')
      comparison.surplus.push({ ...one, key });
  }
  return comparison;
};

/** What both of two looks have shown: what comes or goes just now is in one of them only. */
export const inBoth = (first: Comparison, second: Comparison): Comparison => {
  const was = { missing: new Set(first.missing), surplus: new Set(first.surplus.map(({ key }) => key)) };
  return {
    missing: second.missing.filter((key) => was.missing.has(key)),
    surplus: second.surplus.filter(({ key }) => was.surplus.has(key)),
    foreign: second.foreign,
  };
};
