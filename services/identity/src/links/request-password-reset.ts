import type { Ctx } from '@accessops/service';
import { parseEmail } from '../email.ts';
import type { QueueMail } from '../mail/queue-mail.ts';

/**
 * Notes the wish for a new password. Nobody looks here whether there is an account: what is done is the same, and takes the same time,
 * for every address. Errors: INVALID_FIELDS.
 */
export const requestPasswordReset = (ctx: Ctx, queueMail: QueueMail, email: string): Promise<void> =>
  queueMail(ctx, { kind: 'RESET_WISH', address: parseEmail(email) });
