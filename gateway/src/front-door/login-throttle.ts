import { createHmac } from 'node:crypto';
import { AppError } from '@accessops/errors';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from './client-address.ts';
import type { LimitStore } from './limit-store.ts';
import { tooMany } from './limits.ts';

/** Slows down those who guess passwords, and does not keep out those who know theirs. */
export interface LoginThrottle {
  /**
   * Has a password looked at by `check`, when it is the turn of this address for this account. Counts whether it was wrong
   * (INVALID_CREDENTIALS) or right; any other failure counts as nothing. Errors: TOO_MANY_ATTEMPTS, whether or not there is such an account.
   */
  attempt<T>(account: string, address: string, check: () => Promise<T>): Promise<T>;
}

const hour = 3600;
const day = 24 * hour;
const threeWeeks = 21 * day;

/** Wrong passwords of one address for one account, before it has to wait between two attempts. */
const freeAttempts = 10;
/** The same for an address that the owner has not used, while somebody is after the account. */
const freeAttemptsUnderAttack = 2;
/** Wrong passwords for an account in a day, from wherever, that count as an attack. */
const attack = 50;
/** Wrong passwords of one address in an hour, for whatever accounts. */
const failuresPerAddress = 100;
const longestWait = 300;

/** How long to wait after so many attempts too many: two seconds, four, eight, … five minutes. */
const waitSeconds = (excess: number): number => Math.min(2 ** Math.min(excess, 10), longestWait);

/**
 * Attempts are counted before the password is looked at, and taken back when it was right: those who come at the same moment count each
 * other. Nobody is locked out: there is always a next turn, an address that is new to an account has attempts of its own, and from where
 * the owner has signed in before neither attacks from elsewhere nor the failures of other people behind the same address matter.
 */
export const createLoginThrottle = (store: LimitStore, key: Uint8Array): LoginThrottle => {
  const unlimited = Number.MAX_SAFE_INTEGER;
  const ofPair = store.counter({ keyPrefix: 'login:pair', points: unlimited, duration: day });
  const ofAccount = store.counter({ keyPrefix: 'login:account', points: unlimited, duration: day });
  const ofAddress = store.counter({ keyPrefix: 'login:address', points: failuresPerAddress, duration: hour });
  const turns = store.counter({ keyPrefix: 'login:turn', points: 1, duration: longestWait });
  const known = store.counter({ keyPrefix: 'login:known', points: unlimited, duration: threeWeeks });

  // Who tries to sign in is nobody's business who can look into the store.
  const nameOf = (account: string): string => createHmac('sha256', key).update(account.trim().toLowerCase()).digest('base64url');
  const refuse = (error: unknown): never => {
    throw error instanceof RateLimiterRes ? tooMany('TOO_MANY_ATTEMPTS', error.msBeforeNext) : error;
  };

  return {
    attempt: async (account, address, check) => {
      const owner = nameOf(account);
      const network = networkOf(address);
      const pair = `${owner} ${network}`;
      const [isKnown, onAccount] = await Promise.all([known.get(pair), ofAccount.get(owner)]);
      if (!isKnown) await ofAddress.consume(network).catch(refuse);

      const { consumedPoints } = await ofPair.penalty(pair);
      const free = !isKnown && (onAccount?.consumedPoints ?? 0) >= attack ? freeAttemptsUnderAttack : freeAttempts;
      const takeBack = () => Promise.all([ofPair.reward(pair), isKnown ? undefined : ofAddress.reward(network)]);
      if (consumedPoints > free) {
        const turn = turns.consume(pair, 1, { customDuration: waitSeconds(consumedPoints - free) });
        await turn.catch(async (error: unknown) => {
          await takeBack();
          return refuse(error);
        });
      }
      await ofAccount.penalty(owner);
      try {
        const result = await check();
        await Promise.all([
          takeBack().then(() => ofPair.delete(pair)),
          turns.delete(pair),
          ofAccount.reward(owner),
          known.set(pair, 1, threeWeeks),
        ]);
        return result;
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'INVALID_CREDENTIALS')) await Promise.all([takeBack(), ofAccount.reward(owner)]);
        throw error;
      }
    },
  };
};

/** Looks at every password, for load tests. */
export const noThrottle: LoginThrottle = { attempt: (_account, _address, check) => check() };
