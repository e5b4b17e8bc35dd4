import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '@accessops/db';
import { emit, unitOfWork, type WriteContext } from '@accessops/events';
import { LoginFailedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { ServiceParts } from '@accessops/service';
import { LRUCache } from 'lru-cache';
import { homeOf } from './home-of.ts';

/** Remembers refused sign-ins and tells of them. */
export interface FailedLogins {
  /** Notes one, of an account or of an address that has none. Takes no time that could tell which of the two it was. */
  note(accountId: string | null, origin: WriteContext['origin']): void;
  close(): Promise<void>;
}

interface Failures {
  attempts: number;
  origin: WriteContext['origin'];
}

const flushMs = 250;
const tellAgainMs = 60_000;
const maxAccounts = 10_000;
const nobody = '00000000-0000-0000-0000-000000000000';
const actor = { id: 'anonymous', type: 'anonymous', email: '' };

/**
 * Tells of the first failure of an account at once and of what follows once a minute, with its number and the origin of the last: an
 * attack is seen and cannot flood the log. All addresses without an account count as one. What was typed is never told: it may be a password.
 */
export const startFailedLogins = ({ outbox, log, now }: Pick<ServiceParts, 'outbox' | 'log' | 'now'>): FailedLogins => {
  const waiting = new Map<string, Failures>();
  const toldAt = new LRUCache<string, number>({ max: maxAccounts });
  const abort = new AbortController();

  const tell = (accountId: string, { attempts, origin }: Failures): Promise<void> =>
    unitOfWork(outbox, 'all-tenants', async (em) => {
      const tenantId = await homeOf(em, accountId);
      emit({ em, now, origin, actor, tenantId }, LoginFailedSchema, { userId: accountId }, newId(), {
        action: 'LOGIN_FAILED',
        entityType: 'USER',
        entityId: accountId,
        changes: { attempts: { after: attempts } },
      });
    });

  const flush = async (all: boolean) => {
    const at = now().getTime();
    for (const [accountId, failures] of waiting) {
      if (!all && at - (toldAt.get(accountId) ?? 0) < tellAgainMs) continue;
      waiting.delete(accountId);
      try {
        await tell(accountId, failures);
        toldAt.set(accountId, at);
      } catch (error) {
        log.warn({ err: error }, 'failed sign-ins could not be told of and are tried again');
        waiting.set(accountId, { ...failures, attempts: failures.attempts + (waiting.get(accountId)?.attempts ?? 0) });
        return;
      }
    }
  };

  const loop = async () => {
    while (!abort.signal.aborted) {
      await delay(flushMs, undefined, { signal: abort.signal }).catch(() => undefined);
      await flush(abort.signal.aborted);
    }
  };
  const finished = loop();

  return {
    note: (accountId, origin) => {
      const key = accountId === null || (waiting.size >= maxAccounts && !waiting.has(accountId)) ? nobody : accountId;
      waiting.set(key, { attempts: (waiting.get(key)?.attempts ?? 0) + 1, origin });
    },
    close: async () => {
      abort.abort();
      await finished;
    },
  };
};
