import type { Logger } from '@accessops/telemetry';
import { createBell } from './bell.ts';

export interface TimerOptions {
  /** Does a batch of what there is to do; answers whether there may be more. */
  round(): Promise<boolean>;
  everyMs: number;
  log: Logger;
  /** What the log says when a round fails; it is tried again. */
  complaint: string;
}

const failureMs = 1000;

/** Does something at the start and then at intervals, on every instance: what is to be done once is shared out by the database. */
export const startTimer = ({ round, everyMs, log, complaint }: TimerOptions): { close(): Promise<void> } => {
  const bell = createBell();
  let closing = false;
  const loop = async () => {
    while (!closing) {
      try {
        while (!closing && (await round()));
        await bell.wait(everyMs);
      } catch (error) {
        log.warn({ err: error }, complaint);
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
