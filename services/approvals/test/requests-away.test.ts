import { until } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, Suite } from './suite.ts';

describe('when requests does not answer', () => {
  let suite: Suite;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    // How long it waits for requests, which does not answer here.
    suite = await Suite.start({ environment: { DECISION_TIMEOUT_MS: '8000' } });
    [alice, bob] = (await suite.people(2, ['approver'])) as [Person, Person];
  });
  afterAll(() => suite.close());

  /** Holds the rows of requests, so that it can read a request but not settle it. */
  const holding = async (work: () => Promise<void>) => {
    const holder = new pg.Client({ connectionString: suite.database.adminUrl });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select 1 from requests.access_request for update');
      await work();
    } finally {
      await holder.query('rollback');
      await holder.end();
    }
  };

  test('when it is down after the commit, then the answer is PENDING and the event settles the request', async () => {
    const { id } = await suite.file();
    await holding(async () => {
      expect(await suite.decide(alice, id, { key: 'kept' })).toMatchObject({
        requestId: id,
        status: 'PENDING',
        approvals: 1,
        requiredApprovals: 1,
      });
      expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
      expect(await codeOf(suite.decide(bob, id))).toBe('REQUEST_NOT_PENDING');
    });
    await until(async () => (await suite.stateOf(id)) === 'APPROVED', { what: 'the request settled' });
    expect((await suite.decide(alice, id, { key: 'kept' })).status).toBe('APPROVED');
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
  });

  test('when a call broke off between commit and settling, then its repetition settles the request', async () => {
    const { id } = await suite.file();
    const first = await suite.decide(alice, id, { key: 'again' });
    await until(
      async () => {
        const handled =
          'select 1 from outbox_event o join requests.inbox_event i using (event_id) where o.aggregate_id = $1 and o.type = $2';
        return (await suite.rows(handled, [id, 'ApprovalDecided'])).length > 0;
      },
      { what: 'the event is behind us' },
    );
    // As if neither the settling nor the event had ever reached requests.
    await suite.rows(`update requests.access_request set status = 'PENDING' where id = $1`, [id]);
    expect(await suite.decide(alice, id, { key: 'again' })).toEqual(first);
    expect(await suite.stateOf(id)).toBe('APPROVED');
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'ApprovalDecided']);
  });

  test('when it is down before the vote, then the call is refused and nothing is recorded', async () => {
    const { id } = await suite.file({ sensitivity: 'high' });
    await suite.opened(id);
    await suite.stopRequests();
    expect(await codeOf(suite.decide(alice, id))).toBe('DEPENDENCY_UNAVAILABLE');
    expect(await suite.told(id)).toEqual([]);
    expect(await suite.rows('select 1 from vote where request_id = $1', [id])).toEqual([]);
    // What is known here can still be looked at.
    const { items } = await suite.approvals.listPendingApprovals({}, await as(alice));
    expect(items.map(({ requestId }) => requestId)).toContain(id);
    expect((await suite.approvals.getApproval({ requestId: id }, await as(alice))).status).toBe('PENDING');
  });
});
