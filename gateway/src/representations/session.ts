import type { Session } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';

export const sessionSchema = z
  .object({
    accessToken: z.string(),
    refreshToken: z.string().openapi({ description: 'Good for one use.' }),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().openapi({ description: 'Seconds.' }),
    refreshExpiresIn: z.int().openapi({ description: 'Seconds.' }),
  })
  .openapi('Session');

type SessionJson = z.infer<typeof sessionSchema>;

export const sessionExample: SessionJson = {
  accessToken: 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl',
  refreshToken: 'b3BhcXVlLXJlZnJlc2gtdG9rZW4',
  tokenType: 'Bearer',
  expiresIn: 900,
  refreshExpiresIn: 604_800,
};

/** A session as the API hands it over. */
export const sessionJson = ({ accessToken, refreshToken, expiresIn, refreshExpiresIn }: Session): SessionJson => ({
  accessToken,
  refreshToken,
  tokenType: 'Bearer',
  expiresIn,
  refreshExpiresIn,
});
