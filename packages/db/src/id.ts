import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const pool = Buffer.alloc(16 * 256);
let used = pool.length;
let msecs = 0;
let seq = 0;

/**
 * A new identifier: UUIDv7 (RFC 9562), so that rows made together lie together in indexes; each is greater than the one before.
 * Randomness is fetched for many at once: fetched for one it costs five times as much as the rest.
 */
export const newId = (): string => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 16);
  used += 16;
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = random.readInt32BE(6);
  } else {
    seq = (seq + 1) | 0;
    if (seq === 0) msecs++;
  }
  return v7({ random, msecs, seq });
};

/** The tenant id of what belongs to no tenant: sessions of platform staff, platform-wide events. */
export const noTenant = '00000000-0000-0000-0000-000000000000';
