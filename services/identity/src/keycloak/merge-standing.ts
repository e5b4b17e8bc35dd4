/**
 * What Keycloak and we both know of a person, each piece under its name: `enabled`, `names`, `email`, `verified`, `realmRoles`,
 * `secondFactor`, `organization:<slug>`.
 */
export type Standing = Record<string, string>;

export interface Merged {
  /** Pieces to be told to Keycloak; undefined for what is not any more. */
  push: Record<string, string | undefined>;
  /** Pieces to be taken over from Keycloak. */
  pull: Record<string, string | undefined>;
}

/**
 * What has to change on each side, given what both agreed on last: whoever departed from that has changed something. When both did,
 * what was done here counts.
 */
export const mergeStanding = (settled: Standing, ours: Standing, theirs: Standing): Merged => {
  const merged: Merged = { push: {}, pull: {} };
  for (const piece of new Set([...Object.keys(settled), ...Object.keys(ours), ...Object.keys(theirs)])) {
    if (ours[piece] === theirs[piece]) continue;
    if (ours[piece] !== settled[piece]) merged.push[piece] = ours[piece];
    else merged.pull[piece] = theirs[piece];
  }
  return merged;
};
