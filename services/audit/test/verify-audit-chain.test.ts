import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const verify = async (tenantId: string) => suite.client.verifyAuditChain({}, await suite.as(auditorOf(tenantId)));

/** What somebody with all rights over the database can do: triggers are off. */
const tamper = async (...statements: [string, unknown[]][]) => {
  const client = await suite.admin.connect();
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
  for (const [statement, values] of statements) await client.query(statement, values);
  await client.query('commit');
  client.release();
};

test('when a tenant has no event, then its chain holds and has no head', async () => {
  const tenantId = '01890000-0000-7000-8000-00000000aaaa';
  expect(await verify(tenantId)).toMatchObject({ ok: true, events: 0n, head: '', brokenAt: 0n });
});

test('when nobody touched the log, then the chain holds over many pages and its head is the newest hash', async () => {
  const tenantId = await suite.tenantWith(2500);
  const newest = (await suite.log(tenantId, 2500)).at(-1);
  expect(await verify(tenantId)).toMatchObject({ ok: true, events: 2500n, head: newest?.hash.toString('hex'), brokenAt: 0n });
});

const edits: [string, string, string][] = [
  ['an action', 'action', `'USER_CREATED'`],
  ['the actor', 'actor_id', `'somebody-else'`],
  ['the changes', 'changes', `'{}'`],
  ['the time', 'occurred_at', `occurred_at + interval '1 millisecond'`],
  ['the address', 'ip', `'203.0.113.1'`],
  ['the id', 'id', 'gen_random_uuid()'],
  ['the leaf of the tree', 'leaf_hash', 'sha256(leaf_hash)'],
];
test.each(edits)('when %s is edited, then the chain is broken there', async (_, column, value) => {
  const tenantId = await suite.tenantWith(6);
  await tamper([`update audit_event set ${column} = ${value} where tenant_id = $1 and sequence = 4`, [tenantId]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 3n, brokenAt: 4n });
});

test('when an event is edited together with its hashes, then the chain is broken at the next one', async () => {
  const tenantId = await suite.tenantWith(6);
  const [forged] = await suite.log(await suite.tenantWith(1), 1);
  await tamper([`update audit_event set hash = $2 where tenant_id = $1 and sequence = 4`, [tenantId, forged?.hash]]);
  expect((await verify(tenantId)).ok).toBe(false);
});

test('when two events change places, then the chain is broken at the first', async () => {
  const tenantId = await suite.tenantWith(6);
  const move = 'update audit_event set sequence = $3 where tenant_id = $1 and sequence = $2';
  await tamper([move, [tenantId, 2, 99]], [move, [tenantId, 5, 2]], [move, [tenantId, 99, 5]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 1n, brokenAt: 2n });
});

test.each([1, 3, 6])('when event %i of six is removed, then the chain is broken there', async (sequence) => {
  const tenantId = await suite.tenantWith(6);
  await tamper(['delete from audit_event where tenant_id = $1 and sequence = $2', [tenantId, sequence]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: BigInt(sequence - 1), brokenAt: BigInt(sequence) });
});

test('when an event is removed and the ones behind it are renumbered, then the chain is broken there', async () => {
  const tenantId = await suite.tenantWith(6);
  await tamper(
    ['delete from audit_event where tenant_id = $1 and sequence = 3', [tenantId]],
    ['update audit_event set sequence = sequence - 1 where tenant_id = $1 and sequence > 3', [tenantId]],
    ['update chain_head set sequence = sequence - 1 where tenant_id = $1', [tenantId]],
  );
  expect(await verify(tenantId)).toMatchObject({ ok: false, brokenAt: 3n });
});

test('when the tail is cut off, then the head tells', async () => {
  const tenantId = await suite.tenantWith(6);
  await tamper(['delete from audit_event where tenant_id = $1 and sequence > 4', [tenantId]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 4n, brokenAt: 5n });
});

test('when the head is set back, then the events behind it tell', async () => {
  const tenantId = await suite.tenantWith(6);
  await tamper([
    'update chain_head set sequence = 4, hash = (select hash from audit_event where tenant_id = $1 and sequence = 4) where tenant_id = $1',
    [tenantId],
  ]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 4n, brokenAt: 5n });
  await tamper(['delete from chain_head where tenant_id = $1', [tenantId]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 0n, brokenAt: 1n });
});

test('when the hash of the head is exchanged, then the chain is broken at the newest event', async () => {
  const tenantId = await suite.tenantWith(6);
  await tamper(['update chain_head set hash = sha256(hash) where tenant_id = $1', [tenantId]]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, brokenAt: 6n });
});

test('when an event is put in a second time, then the chain is broken behind it', async () => {
  const tenantId = await suite.tenantWith(2000);
  // The last of the first page that is read.
  await tamper([
    `insert into audit_event select (jsonb_populate_record(e, jsonb_build_object('occurred_at', occurred_at + interval '1 hour', 'id', gen_random_uuid()))).*
     from audit_event e where tenant_id = $1 and sequence = 1000`,
    [tenantId],
  ]);
  expect(await verify(tenantId)).toMatchObject({ ok: false, events: 1000n, brokenAt: 1001n });
});

test('when the log grows while it is verified, then the chain holds', async () => {
  const tenantId = await suite.tenantWith(1500);
  const growing = suite.publish('approvals', ...Array.from({ length: 1500 }, () => changeOf(tenantId)));
  const answers = await Promise.all(Array.from({ length: 5 }, () => verify(tenantId)));
  expect(answers.filter(({ ok }) => !ok)).toEqual([]);
  await growing;
  await suite.log(tenantId, 3000);
  expect(await verify(tenantId)).toMatchObject({ ok: true, events: 3000n });
});

test('when another role than admin or auditor asks, or one of another tenant, then it learns nothing', async () => {
  const tenantId = await suite.tenantWith(1);
  for (const orgRoles of [['manager'], ['approver'], ['requester'], []]) {
    const call = suite.client.verifyAuditChain({}, await suite.as({ tenantId, audience: 'org-admin', orgRoles }));
    await expect(call).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
});
