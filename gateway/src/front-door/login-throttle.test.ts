import { AppError } from '@accessops/errors';
import { createLogger } from '@accessops/telemetry';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openLimitStore } from './limit-store.ts';
import { createLoginThrottle, type LoginThrottle } from './login-throttle.ts';

describe('the throttle of logins', () => {
  let throttle: LoginThrottle;
  let looked: number;

  beforeEach(async () => {
    // Turns come when a test says so, and not while the machine stands still.
    vi.useFakeTimers();
    looked = 0;
    throttle = createLoginThrottle(await openLimitStore(undefined, 500, createLogger('test', 'silent')), new Uint8Array(32));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const attempt = async (
    account: string,
    address: string,
    code?: 'INVALID_CREDENTIALS' | 'DEPENDENCY_UNAVAILABLE' | 'AUDIENCE_NOT_ALLOWED',
  ) => {
    try {
      await throttle.attempt(account, address, async () => {
        looked++;
        if (code) throw new AppError(code);
      });
      return 'in';
    } catch (error) {
      return (error as AppError).code;
    }
  };
  const wrong = (account: string, address: string) => attempt(account, address, 'INVALID_CREDENTIALS');
  const right = (account: string, address: string) => attempt(account, address);
  const wrongs = async (times: number, account: string, address: string) => {
    for (let time = 0; time < times; time++) await wrong(account, address);
  };
  const home = '192.0.2.1';
  const enemy = '198.51.100.1';
  const botOf = (index: number) => `203.0.${index >> 8}.${index & 255}`;

  test('when one address guesses on, then it has to wait longer and longer, and nothing is looked at meanwhile', async () => {
    await wrongs(10, 'ada@acme.test', enemy);
    expect(await wrong('ada@acme.test', enemy)).toBe('INVALID_CREDENTIALS');
    const before = looked;
    for (let time = 0; time < 50; time++) expect(await wrong('ADA@acme.test ', enemy)).toBe('TOO_MANY_ATTEMPTS');
    expect(looked).toBe(before);
    await expect(throttle.attempt('ada@acme.test', enemy, async () => 'in')).rejects.toMatchObject({
      code: 'TOO_MANY_ATTEMPTS',
      members: { retryAfter: 2 },
    });
  });

  test('when one address guesses at once, then few guesses are looked at', async () => {
    await Promise.all(Array.from({ length: 200 }, () => wrong('ada@acme.test', enemy)));
    expect(looked).toBeLessThanOrEqual(11);
  });

  test('when an account is attacked, then its owner gets in, from wherever', async () => {
    expect(await right('ada@acme.test', home)).toBe('in');
    for (let bot = 0; bot < 60; bot++) await wrongs(3, 'ada@acme.test', botOf(bot));
    expect(await right('ada@acme.test', home)).toBe('in');
    expect(await right('ada@acme.test', '192.0.2.200')).toBe('in');
  });

  test('when an account is attacked, then new addresses have fewer attempts, and the owner keeps theirs', async () => {
    await right('ada@acme.test', home);
    for (let bot = 0; bot < 30; bot++) await wrongs(2, 'ada@acme.test', botOf(bot));
    looked = 0;
    await wrongs(20, 'ada@acme.test', enemy);
    expect(looked).toBe(3);
    await wrongs(9, 'ada@acme.test', home);
    expect(await right('ada@acme.test', home)).toBe('in');
  });

  test('when the owner waits where others have guessed, then the next turn is the owner’s', async () => {
    await wrongs(12, 'ada@acme.test', home);
    expect(await right('ada@acme.test', home)).toBe('TOO_MANY_ATTEMPTS');
    await vi.advanceTimersByTimeAsync(2000);
    expect(await right('ada@acme.test', home)).toBe('in');
    // What was wrong before is forgotten.
    await wrongs(9, 'ada@acme.test', home);
    expect(await right('ada@acme.test', home)).toBe('in');
  });

  test('when one address tries many accounts, then it is stopped, but not those who have signed in from there', async () => {
    await right('ada@acme.test', home);
    for (let index = 0; index < 100; index++) await wrong(`p${index}@acme.test`, home);
    expect(await wrong('somebody@acme.test', home)).toBe('TOO_MANY_ATTEMPTS');
    expect(await right('bob@acme.test', home)).toBe('TOO_MANY_ATTEMPTS');
    expect(await right('ada@acme.test', home)).toBe('in');
    expect(await right('bob@acme.test', '192.0.2.2')).toBe('in');
  });

  test('when people sign in again and again, or something is down, then nothing counts', async () => {
    for (let time = 0; time < 300; time++) expect(await right(`p${time % 7}@acme.test`, home)).toBe('in');
    for (let time = 0; time < 300; time++)
      expect(await attempt('eve@acme.test', enemy, 'DEPENDENCY_UNAVAILABLE')).toBe('DEPENDENCY_UNAVAILABLE');
    for (let time = 0; time < 300; time++)
      expect(await attempt('eve@acme.test', enemy, 'AUDIENCE_NOT_ALLOWED')).toBe('AUDIENCE_NOT_ALLOWED');
    expect(await wrong('eve@acme.test', enemy)).toBe('INVALID_CREDENTIALS');
  });

  test('when addresses are of one IPv6 network, then they count as one', async () => {
    for (let index = 1; index < 40; index++) await wrong('ada@acme.test', `2001:db8:1:2::${index}`);
    expect(looked).toBe(11);
  });
});
