import type { Outbox } from '@accessops/events';
import type { Logger } from '@accessops/telemetry';
import { createBell } from '../bell.ts';
import { expireGrants } from './expire-grants.ts';

export interface ExpiryTimerOptions {
  outbox: Outbox;
  log: Logger;
  now: () => Date;
  everyMs: number;
}

const failureMs = 1000;

/**
 * Looks for grants whose time is up, from the start on (they may have expired while nothing ran). It looks instead of
 * setting a timer per grant: one index lookup a quarter of a second, and nothing to forget.
 */
export const startExpiryTimer = ({ outbox, log, now, everyMs }: ExpiryTimerOptions): { close(): Promise<void> } => {
  const bell = createBell();
  let closing = false;
  const loop = async () => {
    while (!closing) {
      try {
        while (!closing && (await expireGrants(outbox, now)));
        await bell.wait(everyMs);
      } catch (error) {
        log.warn({ err: error }, 'expired grants could not be looked for');
        await bell.wait(failureMs);
      }
    }
  };
  const looping = loop();
  return {
    close: async () => {
      closing = true;
      bell.ring();
      await looping;
    },
  };
};
