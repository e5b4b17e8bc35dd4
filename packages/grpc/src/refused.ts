import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';

// As grpc-js says that nothing has reached a handler: no connection could be made, or the server refused the stream (HTTP/2's
// REFUSED_STREAM), for it was just about to close.
const beforeItBegan = /^No connection established|^Stream refused by server/;

/** Whether a call was turned away before any server had taken it on, so that it may be made again. */
export const wasRefused = (error: unknown): boolean => {
  const cause = (error as { cause?: { code?: unknown; details?: unknown } } | undefined)?.cause;
  return cause?.code === status.UNAVAILABLE && typeof cause.details === 'string' && beforeItBegan.test(cause.details);
};

// An instance that goes is gone for the next connection; more than that is for callers to wait for.
const pausesMs = [50, 100, 200];

/** What somebody waits for between attempts; false when no more are to be made. */
export const waitBefore = async (attempt: number, signal?: AbortSignal): Promise<boolean> => {
  const pause = pausesMs[attempt - 1];
  if (pause === undefined || signal?.aborted) return false;
  await delay(pause * (0.5 + Math.random()));
  return true;
};
