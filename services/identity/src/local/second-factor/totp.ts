import { Secret, TOTP } from 'otpauth';

const issuer = 'AccessOps';
const periodSeconds = 30;
// One step to either side, for clocks that disagree (RFC 6238, 5.2).
const window = 1;

const totpOf = (secret: Buffer, label?: string): TOTP =>
  new TOTP({
    issuer,
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: periodSeconds,
    secret: new Secret({ buffer: new Uint8Array(secret).buffer }),
  });

/** A new secret: 160 bits, as RFC 4226 recommends. */
export const newTotpSecret = (): Buffer => Buffer.from(new Secret({ size: 20 }).bytes);

/** A secret as people type it (base32), and as they scan it. */
export const totpEnrolment = (secret: Buffer, email: string): { secret: string; uri: string } => {
  const totp = totpOf(secret, email);
  return { secret: totp.secret.base32, uri: totp.toString() };
};

/** The code of a secret at a moment. */
export const codeAt = (secret: Buffer, now: Date): string => totpOf(secret).generate({ timestamp: now.getTime() });

/** The time step that a code belongs to; undefined when it is none of these moments. */
export const stepOfCode = (secret: Buffer, code: string, now: Date): number | undefined => {
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = totpOf(secret).validate({ token: code, timestamp: now.getTime(), window });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / periodSeconds) + delta;
};
