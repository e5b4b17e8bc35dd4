import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { end, spawnProvisioner } from './child.ts';
import { type Suite, startSuite } from './suite.ts';

// A process that starts takes a while on a busy machine.
const patience = 100_000;

let suite: Suite;
let child: ChildProcess | undefined;
beforeAll(async () => {
  suite = await startSuite({ instances: 0 });
});
afterEach(async () => {
  await suite.stopAll();
  if (child) await end(child, 'SIGTERM');
});
afterAll(() => suite.close());

/** Has a process believe that it is so much later than it is. */
const movedBy = (ms: number): string[] => {
  const moved = `const real = Date; globalThis.Date = class extends real {
    constructor(...of) { super(...(of.length === 0 ? [real.now() + ${ms}] : of)); }
    static now() { return real.now() + ${ms}; }
  };`;
  return ['--import', `data:text/javascript,${encodeURIComponent(moved)}`];
};

/** Asks the database about times of a grant. */
const holds = async (requestId: string, condition: string): Promise<boolean> =>
  (await suite.sql.query(`select ${condition} as holds from access_grant where request_id = $1`, [requestId])).rows[0].holds;

test.each([
  ['ahead', 2],
  ['behind', -2],
])(
  'when the clock of an instance is two hours %s, then access begins and ends when it is time all the same',
  {
    timeout: 4 * patience,
  },
  async (_, hours) => {
    child = spawnProvisioner(suite, movedBy(hours * 3_600_000));
    const [stays, ends] = await Promise.all([suite.approve(), suite.approve()]);
    for (const requestId of [stays, ends]) {
      await suite.grantIs(requestId, ['ACTIVE'], patience);
      expect(await holds(requestId, `activated_at < now() + interval '1 minute' and activated_at > now() - interval '5 minutes'`)).toBe(
        true,
      );
      expect(await holds(requestId, `expires_at = activated_at + interval '1 hour'`)).toBe(true);
    }
    // The one is looked at with the other.
    await suite.sql.query(`update access_grant set expires_at = now() where request_id = $1`, [ends]);
    await suite.grantIs(ends, ['EXPIRED'], patience);
    expect(await holds(ends, `ended_at < now() + interval '1 minute' and ended_at >= expires_at - interval '1 minute'`)).toBe(true);
    expect(await suite.grant(stays)).toMatchObject({ status: 'ACTIVE' });

    await suite.start();
    const [together, over] = await Promise.all([suite.approve(), suite.approve()]);
    for (const requestId of [together, over]) await suite.grantIs(requestId, ['ACTIVE'], patience);
    await suite.sql.query(`update access_grant set expires_at = now() where request_id = $1`, [over]);
    await suite.grantIs(over, ['EXPIRED'], patience);
    for (const requestId of [stays, together]) expect(await suite.grant(requestId)).toMatchObject({ status: 'ACTIVE' });
  },
);
