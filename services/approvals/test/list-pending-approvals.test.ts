import { newId } from '@accessops/db';
import { type Filter, Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, Suite } from './suite.ts';

const eq = (field: string, value: string) => [{ field, operator: Operator.EQ, values: [value] } as Filter];

describe('ListPendingApprovals', () => {
  let suite: Suite;
  let alice: Person;
  let admin: Person;

  beforeAll(async () => {
    suite = await Suite.start();
    [alice] = (await suite.people(1, ['approver'])) as [Person];
    [admin] = (await suite.people(1, ['admin'])) as [Person];
  });
  afterAll(() => suite.close());

  const filed = async (...args: Parameters<Suite['file']>) => {
    const request = await suite.file(...args);
    await suite.opened(request.id);
    return request;
  };
  const list = async (who: Person, query = {}) => suite.approvals.listPendingApprovals({ query }, await as(who));
  const idsFor = async (who: Person, query = { limit: 200 }) => (await list(who, query)).items.map(({ requestId }) => requestId);

  test('when a request waits, then those whom its plan names see it, others do not', async () => {
    const { id, requester, resourceId } = await filed();
    const { items } = await list(alice);
    expect(items.find(({ requestId }) => requestId === id)).toMatchObject({
      status: 'PENDING',
      requesterId: requester.id,
      requesterEmail: requester.email,
      resourceId,
      role: 'reader',
      duration: 'PT2H',
      approvals: 0,
      requiredApprovals: 1,
      stages: [{ name: 'approval', required: 1, approvals: 0, roles: ['approver', 'admin'] }],
      votes: [],
      candidates: [],
    });
    expect(await idsFor(admin)).toContain(id);
    for (const roles of [['requester'], ['auditor'], ['manager'], []]) expect(await idsFor(suite.person(roles))).not.toContain(id);
  });

  test('when the request is my own, then I do not see it', async () => {
    const { id } = await filed({}, alice);
    expect(await idsFor(alice)).not.toContain(id);
    expect(await idsFor(admin)).toContain(id);
  });

  test('when I have voted, then it no longer waits for me, but for others', async () => {
    const { id } = await filed({ sensitivity: 'high' });
    await suite.decide(alice, id);
    expect(await idsFor(alice)).not.toContain(id);
    expect(await idsFor(admin)).toContain(id);
  });

  test('when it is decided or cancelled, then it waits for nobody', async () => {
    const [approved, rejected, cancelled] = [await filed(), await filed(), await filed()];
    await suite.decide(admin, approved.id);
    await suite.decide(admin, rejected.id, { verdict: 'REJECT' });
    await suite.requests.cancelRequest({ id: cancelled.id }, await as(cancelled.requester));
    await suite.becomes(cancelled.id, 'CANCELLED');
    const ids = await idsFor(alice);
    for (const { id } of [approved, rejected, cancelled]) expect(ids).not.toContain(id);
  });

  test('when only a stage that I do not fit lacks votes, then it does not wait for me', async () => {
    const owningTeamId = await suite.team();
    const [owner, other] = (await suite.people(2, ['requester'], [owningTeamId])) as [Person, Person];
    const { id } = await filed({ sensitivity: 'low', pii: true, owningTeamId });
    expect(await idsFor(owner)).toContain(id);
    expect(await idsFor(alice)).not.toContain(id);
    await suite.decide(owner, id);
    expect(await idsFor(other)).not.toContain(id);
    expect(await idsFor(admin)).toContain(id);
  });

  test('when a full stage could give somebody away, then it waits for those who fit that stage only', async () => {
    const { id } = await filed({ sensitivity: 'medium', pii: true });
    const [second] = (await suite.people(1, ['admin'])) as [Person];
    await suite.decide(admin, id);
    expect(await idsFor(alice)).toContain(id);
    await suite.decide(second, id);
    expect(await idsFor(alice)).toContain(id);
    expect((await suite.decide(alice, id)).status).toBe('APPROVED');
  });

  test('when there are more than fit a page, then the pages hold each once, in order, though more come in', async () => {
    const tenantId = newId();
    const reader = suite.person(['approver'], [], tenantId);
    const fileOne = async () => (await filed({}, suite.person(['requester'], [], tenantId))).id;
    const filedIds: string[] = [];
    for (let count = 0; count < 7; count++) filedIds.push(await fileOne());
    const seen: string[] = [];
    let after = '';
    do {
      const { items, page } = await list(reader, { limit: 2, after, sort: [{ field: 'createdAt', descending: false }] });
      seen.push(...items.map(({ requestId }) => requestId));
      if (seen.length === 4) await fileOne();
      after = page?.next ?? '';
    } while (after);
    expect(seen.slice(0, 7)).toEqual(filedIds);
    expect(new Set(seen).size).toBe(8);
  });

  test('when filtered, then by each field', async () => {
    const { id, requester, resourceId } = await filed();
    for (const [field, value] of [
      ['requestId', id],
      ['requesterId', requester.id],
    ] as const) {
      expect((await list(alice, { filters: eq(field, value) })).items.map(({ requestId }) => requestId)).toEqual([id]);
    }
    for (const [field, value] of [
      ['resourceId', resourceId],
      ['role', 'reader'],
      ['status', 'PENDING'],
    ] as const) {
      expect((await list(alice, { filters: eq(field, value), limit: 200 })).items.map(({ requestId }) => requestId)).toContain(id);
    }
    expect((await list(alice, { filters: eq('role', 'writer') })).items).toEqual([]);
    expect(await codeOf(list(alice, { filters: eq('comment', 'x') }))).toBe('INVALID_FILTER');
    expect(await codeOf(list(alice, { sort: [{ field: 'openTo', descending: true }] }))).toBe('INVALID_FILTER');
  });

  test('when somebody of another tenant looks, then nothing waits', async () => {
    await filed();
    expect(await idsFor(suite.person(['approver', 'admin'], [], newId()))).toEqual([]);
  });

  test('when a process asks, then it is refused', async () => {
    const service = { type: 'service' as const, id: 'approvals', email: '', tenantId: suite.tenantId };
    expect(await codeOf(as(service).then((options) => suite.approvals.listPendingApprovals({}, options)))).toBe('PERMISSION_DENIED');
  });
});
