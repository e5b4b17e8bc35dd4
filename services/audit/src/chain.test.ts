import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { AuditRecord } from './audit-record.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import { encode, fits, genesis, type Link, linkAll } from './chain.ts';

const record = (changed: Partial<AuditRecord> = {}): AuditRecord => ({
  tenantId: '01890000-0000-7000-8000-000000000001',
  id: '01890000-0000-7000-8000-000000000002',
  occurredAt: '2026-11-21T10:11:12.345Z',
  actorId: 'u-1',
  actorType: 'user',
  actorEmail: 'ü"\\\n@acme.test',
  action: 'REQUEST_CREATED',
  entityType: 'REQUEST',
  entityId: 'r-1',
  changes: '{"status":{"after":"PENDING"}}',
  ip: '192.0.2.7',
  userAgent: 'curl/8.5',
  requestId: 'call-1',
  ...changed,
});

const sha256 = (...parts: (string | Buffer)[]) =>
  createHash('sha256')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest();
const chain = (...records: AuditRecord[]) => linkAll(genesis, records);
const holds = (links: Link[]) => links.every((link, index) => fits(links[index - 1] ?? genesis, link));

test('when an event is encoded, then as canonical JSON', () => {
  const encoded = encode(record(), 7);
  expect(encoded).toBe(canonicalJson(JSON.parse(encoded) as Json));
  expect(JSON.parse(encoded)).toEqual({
    action: 'REQUEST_CREATED',
    actor: { email: 'ü"\\\n@acme.test', id: 'u-1', type: 'user' },
    changes: { status: { after: 'PENDING' } },
    entityId: 'r-1',
    entityType: 'REQUEST',
    id: '01890000-0000-7000-8000-000000000002',
    ip: '192.0.2.7',
    occurredAt: '2026-11-21T10:11:12.345Z',
    requestId: 'call-1',
    sequence: 7,
    tenantId: '01890000-0000-7000-8000-000000000001',
    userAgent: 'curl/8.5',
  });
});

test('when events are linked, then each hash covers the event and the hash before, and the leaf the event alone', () => {
  const [first, second] = chain(record(), record({ entityId: 'r-2' })) as [Link, Link];
  expect([first.sequence, second.sequence]).toEqual([1, 2]);
  expect(first.hash).toEqual(sha256(Buffer.from([2]), Buffer.alloc(32), encode(first, 1)));
  expect(second.prevHash).toEqual(first.hash);
  expect(second.hash).toEqual(sha256(Buffer.from([2]), first.hash, encode(second, 2)));
  expect(second.leafHash).toEqual(sha256(Buffer.from([0]), encode(second, 2)));
});

test('when nothing was touched, then the chain holds', () => {
  expect(holds(chain(record(), record(), record()))).toBe(true);
});

test.each(Object.keys(record()) as (keyof AuditRecord)[])('when %s is edited, then the chain breaks', (field) => {
  const links = chain(record(), record());
  const edited = { ...(links[0] as Link), [field]: `${(links[0] as Link)[field]} ` };
  expect(holds([edited, links[1] as Link])).toBe(false);
});

test('when text moves from one field to its neighbour, then the chain breaks', () => {
  const [link] = chain(record({ action: 'AB', entityType: 'C' })) as [Link];
  expect(holds([{ ...link, action: 'A', entityType: 'BC' }])).toBe(false);
});

test('when two events are swapped, one is left out or one is there twice, then the chain breaks', () => {
  const [a, b, c] = chain(record(), record({ entityId: 'r-2' }), record({ entityId: 'r-3' })) as [Link, Link, Link];
  expect(holds([b, a, c])).toBe(false);
  expect(holds([{ ...b, sequence: 1 }, { ...a, sequence: 2 }, c])).toBe(false);
  expect(holds([a, c])).toBe(false);
  expect(holds([a, a, b, c])).toBe(false);
});

test('when one event is edited and its own hashes are made anew, then the chain breaks behind it', () => {
  const links = chain(record(), record(), record());
  const [forged] = chain(record({ entityId: 'another' })) as [Link];
  expect(fits(genesis, forged)).toBe(true);
  expect(fits(forged, links[1] as Link)).toBe(false);
});
