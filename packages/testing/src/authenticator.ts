import { Secret, TOTP } from 'otpauth';

const stepMs = 30_000;

/** An authenticator app in a hurry: a code is good once, so it also shows the one before and the one after, in turn: three at any moment. */
export const authenticator = (secret: string): (() => string) => {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  let last = 0;
  return () => {
    const now = Math.floor(Date.now() / stepMs);
    last = Math.max(last + 1, now - 1);
    if (last > now + 1) throw new Error('No fourth code can be good at this moment');
    return totp.generate({ timestamp: last * stepMs });
  };
};
