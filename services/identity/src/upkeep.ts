import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import { addPlatformUsers } from './add-platform-users.ts';
import type { PlatformUser } from './config.ts';
import { endRecoveredSessions } from './end-recovered-sessions.ts';
import type { IdentityProvider } from './provider.ts';

const everyMs = 10 * 60_000;
const retryMs = 500;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What is worth nothing any more, and how long after its time it is kept. What has happened to it stands in the audit log. */
const old = [
  { table: 'session', time: 'expires_at', keepMs: 30 * dayMs },
  { table: 'link', time: 'expires_at', keepMs: dayMs },
  { table: 'invitation', time: 'expires_at', keepMs: 90 * dayMs },
  { table: 'mail_count', time: 'since', keepMs: hourMs },
];

export interface Upkeep {
  /** Kept after the first round, whether it succeeded or not. */
  ready: Promise<void>;
  close(): Promise<void>;
}

const forgetOld = ({ orm, now }: ServiceParts): Promise<void> =>
  transaction(orm.em, 'all-tenants', async (em) => {
    for (const { table, time, keepMs } of old)
      await em.execute(`delete from ${table} where ${time} < ?`, [new Date(now().getTime() - keepMs)]);
  });

/** Background work: the first key and platform staff at start, then key rotation and cleaning up; tried again while the database is away. */
export const startUpkeep = (parts: ServiceParts, provider: IdentityProvider, platformUsers: PlatformUser[]): Upkeep => {
  const abort = new AbortController();

  let failures = 0;

  const round = async (isFirst: boolean): Promise<boolean> => {
    try {
      if (isFirst) await endRecoveredSessions(parts);
      await provider.maintain();
      if (isFirst) await addPlatformUsers(parts, provider, platformUsers);
      await forgetOld(parts);
      failures = 0;
      return true;
    } catch (error) {
      // The first time is enough to know; afterwards once in a while.
      if (failures++ % 20 === 0) parts.log.error({ err: error }, 'upkeep failed and is tried again');
      return false;
    }
  };

  const ready = round(true);
  const loop = async () => {
    let set = await ready;
    while (!abort.signal.aborted) {
      await delay(set ? everyMs : retryMs, undefined, { signal: abort.signal }).catch(() => undefined);
      if (!abort.signal.aborted) set = (await round(!set)) || set;
    }
  };
  const finished = loop();

  return {
    ready: ready.then(() => undefined),
    close: async () => {
      abort.abort();
      await finished;
    },
  };
};
