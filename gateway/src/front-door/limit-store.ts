import type { Logger } from '@accessops/telemetry';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';

export interface CounterOptions {
  keyPrefix: string;
  points: number;
  /** Seconds. */
  duration: number;
}

/** Where calls are counted. */
export interface LimitStore {
  counter(options: CounterOptions): RateLimiterAbstract;
  /** Whether Redis answers; unset where calls are counted in memory. */
  isUp?(): boolean;
  /** What is counted in Redis stays there. */
  close(): void;
}

const inMemory: LimitStore = { counter: (options) => new RateLimiterMemory(options), close: () => {} };

/** Counts in Redis or Valkey; while it is away, everybody counts by themselves: calls are worth more than exact limits. */
const inRedis = async (url: string, timeoutMs: number, log: Logger): Promise<LimitStore> => {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    // One that no longer answers is given up, and counts as away until it does again.
    socketTimeout: 2 * timeoutMs,
    connectTimeout: 1000,
    retryStrategy: (attempt) => Math.min(attempt * 50, 1000),
  });
  let wasUp: boolean | undefined;
  const tell = (up: boolean) => {
    if (up !== wasUp && up) log.info('limits are counted in Redis');
    if (up !== wasUp && !up) log.warn('Redis is away: limits are counted in memory');
    wasUp = up;
  };
  client.on('ready', () => tell(true));
  client.on('close', () => tell(false));
  // Told of already; without a listener it would be thrown.
  client.on('error', () => {});
  return {
    isUp: () => wasUp === true,
    counter: (options) =>
      new RateLimiterRedis({
        ...options,
        keyPrefix: `accessops:${options.keyPrefix}`,
        storeClient: client,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory(options),
      }),
    close: () => {
      client.removeAllListeners('close');
      client.disconnect();
    },
  };
};

/** Counts in Redis when there is an address of one, otherwise in this process. */
export const openLimitStore = async (redisUrl: string | undefined, timeoutMs: number, log: Logger): Promise<LimitStore> =>
  redisUrl ? inRedis(redisUrl, timeoutMs, log) : inMemory;
