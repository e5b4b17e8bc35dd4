import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { EntityManager } from '@mikro-orm/postgresql';
import { linkLifetimes } from './lifetimes.ts';
import { isHashOf, newLinkToken, readLinkToken } from './link-token.ts';

export type LinkKind = 'VERIFY_EMAIL' | 'RESET_PASSWORD' | 'CHANGE_EMAIL';

/** Something that was mailed to the person of an account and can be used once. */
export interface Link {
  id: string;
  accountId: string;
  /** Where it was sent. */
  address: string;
  /** What the two sides of a change of address share. */
  changeId: string | null;
  newAddress: string | null;
}

interface NewLink {
  kind: LinkKind;
  accountId: string;
  address: string;
  change?: { id: string; newAddress: string };
}

/** Makes a link; its token is for the mail alone. */
export const makeLink = async (
  { em, now }: { em: EntityManager; now(): Date },
  { kind, accountId, address, change }: NewLink,
): Promise<{ id: string; token: string }> => {
  const { id, token, hash } = newLinkToken(newId());
  const at = now();
  await em.execute(
    `insert into link (id, hash, kind, account_id, address, change_id, new_address, created_at, expires_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [id, hash, kind, accountId, address, change?.id ?? null, change?.newAddress ?? null, at, new Date(at.getTime() + linkLifetimes[kind])],
  );
  return { id, token };
};

const openSql = `select id, hash, account_id as "accountId", address, change_id as "changeId", new_address as "newAddress"
  from link where id = ? and kind = ? and used_at is null and expires_at > ?`;

/** The link of a token, while it can be used. Errors: LINK_NOT_VALID. */
export const findLink = async (em: EntityManager, kind: LinkKind, token: string, now: Date): Promise<Link> => {
  const proof = readLinkToken(token);
  const [row] = proof ? await em.execute<(Link & { hash: Buffer })[]>(openSql, [proof.id, kind, now]) : [];
  if (!proof || !row || !isHashOf(row.hash, proof)) throw new AppError('LINK_NOT_VALID');
  return row;
};

/** Uses up a link: of several attempts at once, one succeeds. Errors: LINK_NOT_VALID. */
export const useLink = async (em: EntityManager, { id }: Link, now: Date): Promise<void> => {
  const used = await em.execute<{ id: string }[]>(
    'update link set used_at = ? where id = ? and used_at is null and expires_at > ? returning id',
    [now, id, now],
  );
  if (used.length === 0) throw new AppError('LINK_NOT_VALID');
};

/** Makes the open links of an account worthless. */
export const dropLinks = (em: EntityManager, accountId: string, kinds: readonly LinkKind[]): Promise<unknown> =>
  em.execute('delete from link where account_id = ? and used_at is null and kind = any(string_to_array(?, ?))', [
    accountId,
    kinds.join(' '),
    ' ',
  ]);
