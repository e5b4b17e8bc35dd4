import { newId } from '@accessops/db';
import type { WriteContext } from '@accessops/events';
import { seal } from '../local/seal.ts';
import { countMail } from './count-mail.ts';

/** Mails with a link in them. */
export type MailKind = 'VERIFY_EMAIL' | 'RESET_PASSWORD' | 'RESET_WISH' | 'CHANGE_EMAIL' | 'INVITATION';

export interface NewMail {
  kind: MailKind;
  address: string;
  /** What the mail is about; a wish for a reset has none yet. */
  link?: { id: string; token: string };
}

/**
 * Puts a mail into the outbox of this transaction; it is sent after the commit, and again until a server has taken it. A wish is counted
 * when it is granted: here nobody knows yet whether there is anybody to write to. Errors: TOO_MANY_MAILS.
 */
export type QueueMail = (ctx: Omit<WriteContext, 'actor'>, mail: NewMail) => Promise<void>;

/** Seals the token with the service's key: what lies in the database opens nothing. */
export const createMailQueue =
  (sealKey: Buffer): QueueMail =>
  async (ctx, { kind, address, link }) => {
    const { em, now, origin } = ctx;
    if (kind !== 'RESET_WISH') await countMail(ctx, address);
    const id = newId();
    const token = link ? seal(sealKey, Buffer.from(link.token), id) : null;
    await em.execute('insert into mail (id, kind, address, link_id, token, origin, due_at, created_at) values (?, ?, ?, ?, ?, ?, ?, ?)', [
      id,
      kind,
      address,
      link?.id ?? null,
      token,
      JSON.stringify(origin),
      now(),
      now(),
    ]);
  };
