import { z } from 'zod';
import { loginName } from './login-name.ts';

const address = z
  .url({ protocol: /^https?$/, error: 'must be an address like https://example.com/access' })
  .max(2000)
  .refine((text) => {
    const url = URL.parse(text);
    return !url || (!url.username && !url.password && !url.hash);
  }, 'must hold no user, no password and no fragment');

/** An endpoint that gives access when it is told to. */
export const webhookConfig = z.strictObject({
  login: loginName.describe('Which of the signing secrets that the provisioner has been given to use.'),
  url: address.describe('Where signed requests are sent to: https, or http within networks that the operator has allowed.'),
  answerWithinHours: z
    .number()
    .int()
    .min(1)
    .max(720)
    .default(24)
    .describe('How long an answer may take that the endpoint has promised for later.'),
});

export type WebhookConfig = z.infer<typeof webhookConfig>;
