import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, codeOf, type Person, pool, Suite, tallyOf } from './suite.ts';

describe('votes at the same moment', () => {
  let suite: Suite;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    // Two instances: what is right is decided by the database, not by turns in one process.
    suite = await Suite.start({ instances: 2 });
    [alice, bob] = (await suite.people(2, ['approver'])) as [Person, Person];
  });
  afterAll(() => suite.close());

  const file = (count: number, sensitivity: 'medium' | 'high') => pool(Array.from({ length: count }), 8, () => suite.file({ sensitivity }));
  const once = ['ApprovalDecided', 'DecisionRecorded'];
  const patient = 120_000;

  test('when one person approves 100 times at once, then it counts once', async () => {
    const [request] = await file(1, 'high');
    const id = request?.id ?? '';
    const answers = await Promise.all(Array.from({ length: 100 }, () => codeOf(suite.decide(alice, id))));
    expect(tallyOf(answers)).toEqual({ ok: 1, ALREADY_DECIDED: 99 });
    expect(await suite.told(id)).toEqual(['DecisionRecorded']);
    expect((await suite.decide(bob, id)).status).toBe('APPROVED');
  });

  test('when 40 people approve at once, then exactly as many as needed count', async () => {
    const [request] = await file(1, 'high');
    const id = request?.id ?? '';
    const crowd = Array.from({ length: 40 }, () => suite.person(['approver']));
    const answers = await Promise.all(crowd.map((person) => codeOf(suite.decide(person, id))));
    expect(tallyOf(answers)).toEqual({ ok: 2, REQUEST_NOT_PENDING: 38 });
    expect(await suite.told(id)).toEqual(['DecisionRecorded', 'DecisionRecorded', 'ApprovalDecided']);
  });

  test(
    'when approve and reject meet 200 times, then each request has one outcome and the other vote is refused',
    async () => {
      const requests = await file(200, 'medium');
      const winners = await pool(requests, 8, async ({ id }) => {
        const votes = [suite.decide(alice, id), suite.decide(bob, id, { verdict: 'REJECT' })];
        const [approve, reject] = await Promise.all(votes.map(codeOf));
        expect([approve, reject].sort()).toEqual(['REQUEST_NOT_PENDING', 'ok']);
        return approve === 'ok' ? 'APPROVED' : 'REJECTED';
      });
      const outcomes = await suite.outcomesOf(requests.map(({ id }) => id));
      expect(outcomes).toEqual(winners.map((status) => ({ status, told: once })));
    },
    patient,
  );

  test(
    'when two approvals meet 100 times and one is enough, then one counts',
    async () => {
      const requests = await file(100, 'medium');
      await pool(requests, 8, async ({ id }) => {
        const answers = await Promise.all([alice, bob].map((person) => codeOf(suite.decide(person, id))));
        expect(answers.sort()).toEqual(['REQUEST_NOT_PENDING', 'ok']);
      });
      const outcomes = await suite.outcomesOf(requests.map(({ id }) => id));
      expect(outcomes).toEqual(requests.map(() => ({ status: 'APPROVED', told: once })));
    },
    patient,
  );

  test(
    'when cancel meets the last approval 50 times, then exactly one of them wins',
    async () => {
      const requests = await file(50, 'high');
      await pool(requests, 8, ({ id }) => suite.decide(alice, id));
      const winners = await pool(requests, 8, async ({ id, requester }) => {
        const [cancel, approve] = await Promise.all([
          codeOf(as(requester).then((options) => suite.requests.cancelRequest({ id }, options))),
          codeOf(suite.decide(bob, id)),
        ]);
        expect([cancel, approve].sort()).toEqual(['REQUEST_NOT_PENDING', 'ok']);
        return cancel === 'ok' ? 'CANCELLED' : 'APPROVED';
      });
      const outcomes = await suite.outcomesOf(requests.map(({ id }) => id));
      expect(outcomes.map(({ status }) => status)).toEqual(winners);
      // Whatever the votes have said: what requests says stands here too in the end.
      for (const [index, { id }] of requests.entries()) await suite.becomes(id, winners[index] ?? '');
    },
    patient,
  );

  test(
    'when both stages of a plan are voted for at once, then both votes count',
    async () => {
      const owningTeamId = await suite.team();
      const [owner] = (await suite.people(1, ['requester'], [owningTeamId])) as [Person];
      const [admin] = (await suite.people(1, ['admin'])) as [Person];
      const requests = await pool(Array.from({ length: 50 }), 8, () => suite.file({ sensitivity: 'low', pii: true, owningTeamId }));
      await pool(requests, 8, async ({ id }) => {
        const replies = await Promise.all([suite.decide(owner, id), suite.decide(admin, id)]);
        expect(replies.map(({ status }) => status).sort()).toEqual(['APPROVED', 'PENDING']);
        expect(replies.map(({ stage }) => stage)).toEqual(['owning-team', 'admin']);
      });
    },
    patient,
  );
});
