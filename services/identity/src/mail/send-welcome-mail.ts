import { AppError } from '@accessops/errors';
import type { SendWelcomeMailRequest, SendWelcomeMailResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isId } from '../text.ts';
import { countMail } from './count-mail.ts';
import { isRefused, type Mailer } from './mailer.ts';

interface Newcomer {
  email: string;
  first_name: string;
  tenant: string;
}

const find = `select u.email, u.first_name, t.name as tenant from app_user u join tenant t on t.id = u.tenant_id
  where u.tenant_id = ? and u.id = ? and u.active`;

const wordsFor = ({ first_name: firstName, tenant }: Newcomer, publicUrl: string): string =>
  `${[
    `Hello ${firstName},`,
    `welcome to ${tenant} on AccessOps. Here you ask for access to what you need, for as long as you need it:`,
    publicUrl,
    'Programs use GET /api/v1/catalog/resources and POST /api/v1/requests.',
  ].join('\n\n')}\n`;

/**
 * Sends the welcome mail, in no transaction and at once: the job that asks for it is its outbox. Asked again, it is sent again, under the same
 * Message-ID. Errors: TOO_MANY_MAILS, MAIL_REFUSED, DEPENDENCY_UNAVAILABLE, PERMISSION_DENIED.
 */
export const sendWelcomeMail = async (
  call: Call,
  { mailer, publicUrl }: { mailer: Mailer; publicUrl: string },
  { userId, mailId }: SendWelcomeMailRequest,
): Promise<MessageInitShape<typeof SendWelcomeMailResponseSchema>> => {
  const { tenantId } = call;
  await call.authorize('user', 'welcome', { tenantId });
  const newcomer = await call.write(async (ctx) => {
    const [found] = isId(userId) ? await ctx.em.execute<Newcomer[]>(find, [tenantId, userId]) : [];
    if (found) await countMail(ctx, found.email);
    return found;
  });
  if (!newcomer || !isId(mailId)) return { sent: false };
  try {
    await mailer.send({ id: mailId, to: newcomer.email, subject: 'Welcome to AccessOps', text: wordsFor(newcomer, publicUrl) });
  } catch (cause) {
    if (isRefused(cause)) throw new AppError('MAIL_REFUSED', undefined, { cause });
    throw new AppError('DEPENDENCY_UNAVAILABLE', 'The mail server cannot be reached', { cause });
  }
  return { sent: true };
};
