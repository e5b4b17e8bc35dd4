import { hash } from 'node:crypto';
import type { AuditRecord } from './audit-record.ts';

/** The newest link of a tenant's chain. */
export interface Head {
  /** 0 before the first event. */
  sequence: number;
  hash: Buffer;
}

/** A record with its place in the chain. */
export interface Link extends AuditRecord {
  sequence: number;
  prevHash: Buffer;
  hash: Buffer;
  leafHash: Buffer;
}

/** What the first event is chained to: 32 zero bytes. */
export const genesis: Head = { sequence: 0, hash: Buffer.alloc(32) };

const text = (value: string) => JSON.stringify(value);

/**
 * The bytes that are hashed for an event: UTF-8 of the canonical JSON (RFC 8785) of
 * `{action, actor: {email, id, type}, changes, entityId, entityType, id, ip, occurredAt, requestId, sequence, tenantId, userAgent}`,
 * every member present (empty strings where nothing is known), `occurredAt` in UTC with three decimals, `sequence` a number.
 * Written out by hand in the order of the names, because `changes` is canonical JSON already.
 * `recorded_at` is not part of it: it says when the row was stored, not what happened.
 */
export const encode = (record: AuditRecord, sequence: number): string =>
  `{"action":${text(record.action)},"actor":{"email":${text(record.actorEmail)},"id":${text(record.actorId)},"type":${text(record.actorType)}},` +
  `"changes":${record.changes},"entityId":${text(record.entityId)},"entityType":${text(record.entityType)},"id":${text(record.id)},` +
  `"ip":${text(record.ip)},"occurredAt":${text(record.occurredAt)},"requestId":${text(record.requestId)},"sequence":${sequence},` +
  `"tenantId":${text(record.tenantId)},"userAgent":${text(record.userAgent)}}`;

// First byte of what is hashed, so that no hash of one kind can stand for one of another. 0x00 and 0x01 are RFC 6962's.
const leafTag = Buffer.from([0x00]);
const chainTag = Buffer.from([0x02]);

const sha256 = (...parts: Buffer[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');

/**
 * Puts a record behind `head`. With e = `encode(record, sequence)`:
 * `hash` = SHA-256(0x02 ‖ hash of the event before ‖ e), and `leafHash` = SHA-256(0x00 ‖ e), the leaf of the Merkle
 * tree of RFC 6962, section 2.1, whose leaf index is `sequence - 1`.
 */
export const linkTo = ({ sequence: before, hash: prevHash }: Head, record: AuditRecord): Link => {
  const sequence = before + 1;
  const encoded = Buffer.from(encode(record, sequence));
  return {
    ...record,
    sequence,
    prevHash,
    hash: sha256(chainTag, prevHash, encoded),
    leafHash: sha256(leafTag, encoded),
  };
};

/** Puts records behind `head`, in order. */
export const linkAll = (head: Head, records: AuditRecord[]): Link[] => {
  let newest = head;
  return records.map((record) => {
    const link = linkTo(newest, record);
    newest = link;
    return link;
  });
};

/** Whether a stored link is the one that belongs behind `head`: right place, right content, right hashes. */
export const fits = (head: Head, stored: Link): boolean => {
  const expected = linkTo(head, stored);
  return (
    stored.sequence === expected.sequence &&
    stored.prevHash.equals(expected.prevHash) &&
    stored.hash.equals(expected.hash) &&
    stored.leafHash.equals(expected.leafHash)
  );
};
