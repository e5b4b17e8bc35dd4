import { LRUCache } from 'lru-cache';
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';

/** Where somebody stands. */
export interface Standing {
  /** Whether this call is one too many. */
  refused: boolean;
  /** How many calls are left until `endsAt`. */
  remaining: number;
  /** On the clock of `performance.now()`. */
  endsAt: number;
}

/** So many calls per window for each key; answers without waiting whenever nothing has to be asked. */
export type Limit = (key: string) => Standing | Promise<Standing>;

interface Lease {
  /** Left in the store, when it was asked last. */
  inStore: number;
  /** Taken from the store, and not used yet. */
  inHand: number;
  endsAt: number;
  refused: boolean;
  asking: boolean;
}

/**
 * A limit of `counter.points` calls. Far from it, a twentieth of them is taken from the store at a time and used up without asking again;
 * in the second half of the window's calls each one is asked for. So nobody gets more than the limit, and almost nobody waits for the store.
 */
export const createLimit = (counter: RateLimiterAbstract): Limit => {
  const batch = Math.max(1, Math.floor(counter.points / 20));
  const leases = new LRUCache<string, Lease>({ max: 50_000 });

  const standing = ({ inStore, inHand, endsAt }: Lease, refused: boolean): Standing => ({ refused, remaining: inStore + inHand, endsAt });

  const consume = async (key: string, points: number): Promise<{ refused: boolean; answer: RateLimiterRes }> => {
    try {
      return { refused: false, answer: await counter.consume(key, points) };
    } catch (error) {
      if (error instanceof RateLimiterRes) return { refused: true, answer: error };
      throw error;
    }
  };

  const ask = async (key: string, known: Lease | undefined): Promise<Standing> => {
    const far = known !== undefined && !known.asking && known.inStore > counter.points / 2;
    const points = far ? batch : 1;
    if (far) known.asking = true;
    try {
      const { refused, answer } = await consume(key, points);
      const endsAt = performance.now() + answer.msBeforeNext;
      const before = leases.get(key);
      const inHand = (before && before.endsAt > performance.now() ? before.inHand : 0) + (refused ? 0 : points - 1);
      const lease: Lease = { inStore: answer.remainingPoints, inHand, endsAt, refused, asking: false };
      leases.set(key, lease);
      return standing(lease, refused);
    } finally {
      if (far) known.asking = false;
    }
  };

  return (key) => {
    const lease = leases.get(key);
    if (!lease || lease.endsAt <= performance.now()) return ask(key, undefined);
    if (lease.inHand > 0) {
      lease.inHand--;
      return standing(lease, false);
    }
    return lease.refused ? standing(lease, true) : ask(key, lease);
  };
};
