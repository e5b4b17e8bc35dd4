import { RateLimiterMemory } from 'rate-limiter-flexible';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLimit } from './limit.ts';

/** A counter that tells how often it is asked. */
class Counted extends RateLimiterMemory {
  asked = 0;

  override consume(...args: Parameters<RateLimiterMemory['consume']>) {
    this.asked++;
    return super.consume(...args);
  }
}

const counterOf = (points: number, duration = 60) => new Counted({ points, duration });
const passed = (standings: { refused: boolean }[]) => standings.filter(({ refused }) => !refused).length;

describe('a limit', () => {
  // Windows end when a test says so, and not while the machine stands still.
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('when calls come one after the other, then exactly as many pass as it allows, and what remains counts down', async () => {
    const limit = createLimit(counterOf(100));
    const remaining: number[] = [];
    for (let call = 0; call < 100; call++) remaining.push((await limit('ada')).remaining);
    expect(remaining).toEqual(Array.from({ length: 100 }, (_, index) => 99 - index));
    expect(await limit('ada')).toMatchObject({ refused: true, remaining: 0 });
    expect(await limit('bob')).toMatchObject({ refused: false, remaining: 99 });
  });

  test('when calls come all at once, then exactly as many pass', async () => {
    for (const points of [1, 7, 100]) {
      const limit = createLimit(counterOf(points));
      expect(passed(await Promise.all(Array.from({ length: 300 }, async () => limit('ada'))))).toBe(points);
    }
  });

  test('when somebody is far from it, then the counter is hardly ever asked', async () => {
    const counter = counterOf(1200);
    const limit = createLimit(counter);
    for (let call = 0; call < 600; call++) await limit('ada');
    expect(counter.asked).toBeLessThan(15);
  });

  test('when it is reached, then the counter is not asked again', async () => {
    const counter = counterOf(5);
    const limit = createLimit(counter);
    for (let call = 0; call < 6; call++) await limit('ada');
    const asked = counter.asked;
    expect(limit('ada')).toMatchObject({ refused: true });
    expect(counter.asked).toBe(asked);
  });

  test('when two gateways share a counter, then together they let no more pass, and hardly less', async () => {
    const counter = counterOf(200);
    const [one, other] = [createLimit(counter), createLimit(counter)];
    const standings = [];
    for (let call = 0; call < 300; call++) standings.push(await (call % 3 === 0 ? one : other)('ada'));
    expect(passed(standings)).toBeLessThanOrEqual(200);
    expect(passed(standings)).toBeGreaterThanOrEqual(190);
  });

  test('when the window is over, then calls pass again', async () => {
    const limit = createLimit(counterOf(1, 1));
    await limit('ada');
    const { refused, endsAt } = await limit('ada');
    expect(refused).toBe(true);
    expect(endsAt - performance.now()).toBeLessThanOrEqual(1000);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await limit('ada')).refused).toBe(false);
  });

  test('when a counter cannot count, then that is told', async () => {
    const counter = counterOf(5);
    counter.consume = () => Promise.reject(new Error('lost'));
    await expect(async () => createLimit(counter)('ada')).rejects.toThrow('lost');
  });
});
