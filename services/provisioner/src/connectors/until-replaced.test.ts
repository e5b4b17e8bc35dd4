import { afterEach, expect, test, vi } from 'vitest';
import { untilReplaced } from './until-replaced.ts';

afterEach(() => vi.useRealTimers());

test('when a worker has slept for longer than its lease may last, then it asks nothing more', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const inTime = untilReplaced(new AbortController().signal);
  vi.advanceTimersByTime(7000);
  expect(inTime).not.toThrow();
  vi.advanceTimersByTime(2000);
  expect(inTime).toThrow(expect.objectContaining({ kind: 'unknown' }));
});

test('when it is told to stop, then it asks nothing more either', () => {
  const abort = new AbortController();
  const inTime = untilReplaced(abort.signal);
  abort.abort();
  expect(inTime).toThrow();
});
