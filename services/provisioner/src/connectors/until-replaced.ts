import { ConnectorError } from '../connector.ts';

// Less than the lease of a job.
const longestMs = 8000;

/**
 * For targets that remember nothing of access that has ended, and so cannot tell a late worker from the right one: to be called before each
 * request. It throws when the call has taken so long that somebody else may have the job by now.
 */
export const untilReplaced = (signal: AbortSignal): (() => void) => {
  const startedAt = Date.now();
  return () => {
    signal.throwIfAborted();
    if (Date.now() - startedAt > longestMs) throw new ConnectorError('unknown', 'The target has not got it done in time');
  };
};
