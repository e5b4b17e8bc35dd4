import { setTimeout as delay } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';

const stepMs = 30_000;
// A code that is shown is still good when it arrives, on a machine that stands still for some seconds too.
const marginMs = 12_000;

const stepAt = (time: number): number => Math.floor(time / stepMs);

/**
 * An authenticator app in a hurry: a code is good once, so it shows the one before, the one of now and the one after, in turn. Close to
 * the end of its time the one before is left out, and a third code is waited for.
 */
export const authenticator = (secret: string): (() => Promise<string>) => {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  let last = 0;
  return async () => {
    last = Math.max(last + 1, stepAt(Date.now() + marginMs) - 1);
    const goodFrom = (last - 1) * stepMs;
    if (goodFrom > Date.now()) await delay(goodFrom - Date.now());
    return totp.generate({ timestamp: last * stepMs });
  };
};
