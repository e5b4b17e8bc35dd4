import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import { findLink, type LinkKind, makeLink } from '../links/link.ts';
import { isHashOf, readLinkToken } from '../links/link-token.ts';
import { open, seal } from '../local/seal.ts';
import { tellAccountChanged } from '../tell-account-changed.ts';
import { alertText, type StuckGrant } from './alert.ts';
import { fitsAddress } from './count-mail.ts';
import { mailText, type Occasion } from './mail-text.ts';
import type { OutgoingMail } from './mailer.ts';
import type { MailKind } from './queue-mail.ts';

/** A row of the mail outbox. */
export interface MailRow {
  id: string;
  kind: MailKind | 'REVOKE_FAILED';
  address: string;
  link_id: string | null;
  token: Buffer | null;
  /** Of an alert. */
  about: StuckGrant | null;
  origin: WriteContext['origin'];
  attempts: number;
}

export interface MailContext extends Pick<WriteContext, 'em' | 'now'> {
  sealKey: Buffer;
  publicUrl: string;
}

const resetAgainMs = 60_000;

/** Turns a wish for a reset into a mail with a link, if there is an account that has not got one just now, nor too many of whatever kind. */
const grantWish = async ({ em, now, sealKey }: MailContext, row: MailRow): Promise<MailRow | undefined> => {
  const [account] = await em.execute<{ id: string }[]>('select id from account where email = ? and active for update', [row.address]);
  if (!account) return undefined;
  const recent = await em.execute(`select 1 from link where account_id = ? and kind = 'RESET_PASSWORD' and created_at > ?`, [
    account.id,
    new Date(now().getTime() - resetAgainMs),
  ]);
  if (recent.length > 0 || !(await fitsAddress({ em, now }, row.address))) return undefined;
  const link = await makeLink({ em, now }, { kind: 'RESET_PASSWORD', accountId: account.id, address: row.address });
  const token = seal(sealKey, Buffer.from(link.token), row.id);
  await em.execute(`update mail set kind = 'RESET_PASSWORD', link_id = ?, token = ? where id = ?`, [link.id, token, row.id]);
  // Told here and not when it was asked for: there, only the wish for an account that exists would take the time to be told.
  const actor = { id: 'anonymous', type: 'anonymous', email: '' };
  await tellAccountChanged({ em, now, tenantId: '', origin: row.origin, actor }, account.id, 'PASSWORD_RESET_REQUESTED');
  return { ...row, kind: 'RESET_PASSWORD', link_id: link.id, token };
};

interface Subject {
  occasion: Occasion;
  expiresAt: Date;
}

const invitationSql = `select i.token_hash, i.expires_at, t.name as tenant, u.first_name, u.last_name
  from invitation i join tenant t on t.id = i.tenant_id join app_user u on u.tenant_id = i.tenant_id and u.id = i.invited_by
  where i.id = ? and i.status = 'PENDING' and i.expires_at > ?`;

const invitationOf = async ({ em, now }: MailContext, token: string): Promise<Subject | undefined> => {
  const proof = readLinkToken(token);
  const [row] = await em.execute<{ token_hash: Buffer; expires_at: string; tenant: string; first_name: string; last_name: string }[]>(
    invitationSql,
    [proof?.id ?? null, now()],
  );
  if (!row || !proof || !isHashOf(row.token_hash, proof)) return undefined;
  const occasion: Occasion = { kind: 'INVITATION', tenant: row.tenant, inviter: `${row.first_name} ${row.last_name}` };
  return { occasion, expiresAt: new Date(row.expires_at) };
};

const linkOf = async ({ em, now }: MailContext, kind: LinkKind, token: string): Promise<Subject | undefined> => {
  const link = await findLink(em, kind, token, now()).catch((error: unknown) => {
    if (error instanceof AppError) return undefined;
    throw error;
  });
  if (!link) return undefined;
  const [row] = await em.execute<{ first_name: string; expires_at: string }[]>(
    'select a.first_name, l.expires_at from link l join account a on a.id = l.account_id where l.id = ?',
    [link.id],
  );
  if (!row) return undefined;
  const { first_name: firstName } = row;
  const expiresAt = new Date(row.expires_at);
  if (kind !== 'CHANGE_EMAIL') return { occasion: { kind, firstName }, expiresAt };
  const newAddress = link.newAddress ?? '';
  return { occasion: { kind, firstName, newAddress, isOld: link.address !== newAddress }, expiresAt };
};

/** The mail of a row as it goes out; undefined when what it speaks of is over, used or replaced. Needs a transaction across tenants. */
export const prepareMail = async (ctx: MailContext, queued: MailRow): Promise<OutgoingMail | undefined> => {
  if (queued.about) return { id: queued.id, to: queued.address, ...alertText(queued.about, ctx.publicUrl) };
  const row = queued.kind === 'RESET_WISH' ? await grantWish(ctx, queued) : queued;
  if (!row?.token || row.kind === 'RESET_WISH' || row.kind === 'REVOKE_FAILED') return undefined;
  const token = open(ctx.sealKey, row.token, row.id).toString();
  const subject = row.kind === 'INVITATION' ? await invitationOf(ctx, token) : await linkOf(ctx, row.kind, token);
  if (!subject) return undefined;
  const { publicUrl } = ctx;
  return { id: row.id, to: row.address, ...mailText(subject.occasion, { publicUrl, token, expiresAt: subject.expiresAt }) };
};
