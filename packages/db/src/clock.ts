import type { Pool } from 'pg';

/** What tells the time to a service. */
export interface Clock {
  now(): Date;
  /** Compares it with the database's; fails when that does not answer. */
  look(): Promise<void>;
}

/**
 * The clock of the database, so that instances and services whose own clocks disagree still agree on when access ends. Between two looks it goes
 * on by itself, whatever is done to the clock of this machine. An answer says what time it was at some moment since it was asked for:
 * only a time that cannot be true for any of these is put right, so that answers that take long move nothing.
 */
export const createClock = (pool: Pick<Pool, 'query'>): Clock => {
  let offset = Date.now() - performance.now();
  return {
    now: () => new Date(offset + performance.now()),
    look: async () => {
      const asked = performance.now();
      const { rows } = await pool.query<{ ms: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as ms');
      const answered = performance.now();
      for (const { ms } of rows) offset = Math.min(Math.max(offset, ms - answered), ms - asked);
    },
  };
};
