import { type Network, parseNetwork } from '@accessops/outbound';
import { z } from 'zod';

const secret = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

const networks = z
  .string()
  .default('')
  .transform((list, ctx): Network[] => {
    try {
      return list.split(',').flatMap((network) => (network.trim() ? [parseNetwork(network.trim())] : []));
    } catch (error) {
      ctx.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'must be networks' });
      return z.NEVER;
    }
  });

/** What is shared with an endpoint, and where it may be. */
export const webhookLogin = z.object({
  /** `whsec_` and 24 to 64 bytes in base64: requests and answers are signed with it. */
  SECRET: z.string('must be whsec_ and 24 to 64 bytes in base64').regex(secret, 'must be whsec_ and 24 to 64 bytes in base64'),
  /** Networks besides the public Internet that requests may be sent to, in CIDR notation, separated by commas. */
  NETWORKS: networks,
});

export type WebhookLogin = z.infer<typeof webhookLogin>;
