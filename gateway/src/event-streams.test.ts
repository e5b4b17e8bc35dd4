import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEventStreams, type StreamedEvent, type StreamSource } from './event-streams.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const state = (n: number, isLast = false): StreamedEvent => ({ event: 'job', data: { n }, isLast });

/** Tells these, then nothing until nobody listens any more. */
const telling = (...events: StreamedEvent[]): { source: StreamSource; read: { told: number; left: boolean } } => {
  const read = { told: 0, left: false };
  const source: StreamSource = {
    owner: 'una',
    lastEventId: '',
    isStillAllowed: async () => true,
    events: async function* (signal) {
      signal.addEventListener('abort', () => {
        read.left = true;
      });
      for (const event of events) {
        read.told++;
        yield event;
        if (event.isLast) return;
      }
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))));
    },
  };
  return { source, read };
};

const idOf = (text: string): string => /^id: (.+)$/m.exec(text)?.[1] ?? '';

test('when the last state is told, then the stream ends, and whoever comes back with its id need not come again', async () => {
  const streams = createEventStreams();
  const answer = await streams.open(telling(state(1), state(2, true)).source);
  expect(Object.fromEntries(answer.headers)).toEqual({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const text = await answer.text();
  expect(text.match(/^event: job\ndata: .*$/gm)).toEqual(['event: job\ndata: {"n":1}', 'event: job\ndata: {"n":2}']);
  const { source } = telling(state(1));
  const first = idOf(text);
  const again = (await streams.open({ ...source, lastEventId: first })).body?.getReader();
  const opening = new TextDecoder().decode((await again?.read())?.value);
  expect(opening).not.toContain('data:');
  const last = /id: (.+)\nevent: job\ndata: {"n":2}/.exec(text)?.[1] ?? '';
  expect((await streams.open({ ...telling(state(2, true)).source, lastEventId: last })).status).toBe(204);
});

test('when nothing happens, then comments keep the stream open', async () => {
  const answer = await createEventStreams().open(telling(state(1)).source);
  const reader = answer.body?.getReader();
  await reader?.read();
  await reader?.read();
  const beat = reader?.read();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(new TextDecoder().decode((await beat)?.value)).toBe(':\n\n');
});

test('when the caller may not any more, or that cannot be found out, then the stream ends', async () => {
  const streams = createEventStreams();
  for (const isStillAllowed of [async () => false, () => Promise.reject(new Error('down'))]) {
    const { source, read } = telling(state(1));
    const text = (await streams.open({ ...source, isStillAllowed })).text();
    await vi.advanceTimersByTimeAsync(300);
    expect(await text).toContain('"n":1');
    expect(read.left).toBe(true);
  }
});

test('when a client does not read, then what it does not take is not asked for', async () => {
  const { source, read } = telling(...Array.from({ length: 100 }, (_, n) => state(n)));
  await createEventStreams().open(source);
  await vi.advanceTimersByTimeAsync(5000);
  expect(read.told).toBeLessThanOrEqual(2);
});

test('when somebody has ten streams, then the eleventh is refused until one ends, and others have their own', async () => {
  const streams = createEventStreams();
  const answers = await Promise.all(Array.from({ length: 10 }, () => streams.open(telling(state(1)).source)));
  await expect(streams.open(telling(state(1)).source)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  await streams.open({ ...telling(state(1)).source, owner: 'another' });
  await answers[0]?.body?.cancel();
  await streams.open(telling(state(1)).source);
});

test('when the source fails before it has told anything, then that is the answer, and no stream is left', async () => {
  const streams = createEventStreams();
  const failing: StreamSource = {
    ...telling().source,
    events: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('not there')) }) }),
  };
  for (let n = 0; n < 11; n++) await expect(streams.open(failing)).rejects.toThrow('not there');
});

test('when the gateway stops, then all streams end', async () => {
  const streams = createEventStreams();
  const { source, read } = telling(state(1));
  const text = (await streams.open(source)).text();
  streams.close();
  await text;
  expect(read.left).toBe(true);
});
