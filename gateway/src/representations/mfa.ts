import type { Mfa } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleTime, time } from '../fields.ts';
import { timeOrNull } from './proto.ts';

export const mfaSchema = z
  .object({
    enrolled: z.boolean(),
    confirmedAt: time.nullable().openapi({ description: 'Null without one.' }),
    recoveryCodesLeft: z.int(),
  })
  .openapi('Mfa');

type MfaJson = z.infer<typeof mfaSchema>;

export const mfaExample: MfaJson = { enrolled: true, confirmedAt: exampleTime, recoveryCodesLeft: 10 };

/** A second factor as the API shows it. */
export const mfaJson = ({ enrolled, confirmedAt, recoveryCodesLeft }: Mfa): MfaJson => ({
  enrolled,
  confirmedAt: timeOrNull(confirmedAt),
  recoveryCodesLeft,
});

export const totpSchema = z
  .object({
    secret: z.string().openapi({ description: 'Base32, to be typed into an authenticator app.' }),
    uri: z.string().openapi({ description: 'The same for a QR code: `otpauth://totp/…`.' }),
  })
  .openapi('Totp');

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

export const totpExample: z.infer<typeof totpSchema> = {
  secret,
  uri: `otpauth://totp/AccessOps:ada%40acme.test?issuer=AccessOps&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
};

export const recoveryCodesSchema = z
  .object({ recoveryCodes: z.array(z.string()).openapi({ description: 'Ten codes, each good once in place of a TOTP code.' }) })
  .openapi('RecoveryCodes');

export const recoveryCodesExample: z.infer<typeof recoveryCodesSchema> = { recoveryCodes: ['q3m0-7v1k-x9ta-2c5d', '8fz2-kk4e-0pyr-w6hn'] };
