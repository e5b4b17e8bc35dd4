import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import { addPlatformUsers } from './add-platform-users.ts';
import type { PlatformUser } from './config.ts';
import type { IdentityProvider } from './provider.ts';

const everyMs = 10 * 60_000;
const retryMs = 500;
const keepSessionsMs = 30 * 24 * 3_600_000;

export interface Upkeep {
  /** Kept after the first round, whether it succeeded or not. */
  ready: Promise<void>;
  close(): Promise<void>;
}

const forgetOldSessions = ({ orm, now }: ServiceParts): Promise<unknown> =>
  transaction(orm.em, 'all-tenants', (em) =>
    em.execute('delete from session where expires_at < ?', [new Date(now().getTime() - keepSessionsMs)]),
  );

/** Background work: the first key and platform staff at start, then key rotation and cleaning up; tried again while the database is away. */
export const startUpkeep = (parts: ServiceParts, provider: IdentityProvider, platformUsers: PlatformUser[]): Upkeep => {
  const abort = new AbortController();

  const round = async (isFirst: boolean): Promise<boolean> => {
    try {
      await provider.maintain();
      if (isFirst) await addPlatformUsers(parts, provider, platformUsers);
      await forgetOldSessions(parts);
      return true;
    } catch (error) {
      parts.log.error({ err: error }, 'upkeep failed and is tried again');
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
