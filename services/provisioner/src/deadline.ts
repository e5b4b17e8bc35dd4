/**
 * Runs `work` with a signal that says when time is up or `parent` is aborted, and does not wait any longer than that, even
 * for work that does not listen. Throws a TimeoutError then.
 */
export const withDeadline = async <T>(ms: number, parent: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const own = new AbortController();
  const stop = () => own.abort(parent.reason);
  const timer = setTimeout(() => own.abort(new DOMException('Time is up', 'TimeoutError')), ms);
  parent.addEventListener('abort', stop, { once: true });
  try {
    parent.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      own.signal.addEventListener('abort', () => reject(own.signal.reason as Error), { once: true });
      work(own.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', stop);
  }
};
