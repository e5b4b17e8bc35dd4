import { newId } from '@accessops/db';
import { RequestApprovedSchema, RequestClosedSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, Suite } from './suite.ts';

describe('events about requests', () => {
  let suite: Suite;
  let alice: Person;
  const stages = [{ name: 'approval', required: 2, roles: ['approver', 'admin'], teamId: '' }];

  beforeAll(async () => {
    suite = await Suite.start();
    [alice] = (await suite.people(1, ['approver'])) as [Person];
  });
  afterAll(() => suite.close());

  const submitted = (requestId: string, plan = stages) => {
    const submittedAt = timestampFromDate(new Date());
    const by = { requesterId: newId(), requesterEmail: 'requester@acme.test', resourceId: newId() };
    const rest = { role: 'reader', justification: 'a test', duration: 'PT2H', stages: plan, submittedAt };
    return suite.tell('requests', RequestSubmittedSchema, { requestId, ...by, ...rest }, requestId);
  };
  const closed = (requestId: string, status: string) => suite.tell('requests', RequestClosedSchema, { requestId, status }, requestId);
  const caseOf = async (requestId: string) => (await suite.rows('select * from approval_case where request_id = $1', [requestId]))[0];

  /** Waits until everything that was sent before has been handled. */
  const handled = async () => {
    const last = newId();
    await submitted(last);
    await suite.opened(last);
  };

  test('when a request is filed, then its case opens', async () => {
    const id = newId();
    await submitted(id);
    await suite.opened(id);
    expect(await caseOf(id)).toMatchObject({
      status: 'PENDING',
      requester_email: 'requester@acme.test',
      open_to: ['role:approver', 'role:admin'],
    });
  });

  test('when a request needs no approval, then no case opens', async () => {
    const id = newId();
    await submitted(id, []);
    await suite.tell('requests', RequestApprovedSchema, { requestId: id }, id);
    await handled();
    expect(await caseOf(id)).toBeUndefined();
  });

  test('when the event comes twice or after a vote, then the case stays as it is', async () => {
    const { id, requester } = await suite.file({ sensitivity: 'high' });
    await suite.decide(alice, id);
    await suite.opened(id);
    const again = await submitted(id);
    await again();
    await handled();
    expect(await suite.rows('select requester_id, requester_email, open_to from approval_case where request_id = $1', [id])).toEqual([
      { requester_id: requester.id, requester_email: requester.email, open_to: ['role:approver', 'role:admin'] },
    ]);
    expect(await caseOf(id)).toMatchObject({ stages: [{ approvals: 1 }] });
  });

  test('when a request is cancelled or rejected, then its case is over, also when the event comes twice', async () => {
    for (const status of ['CANCELLED', 'REJECTED']) {
      const id = newId();
      await submitted(id);
      const again = await closed(id, status);
      await suite.becomes(id, status);
      const before = await caseOf(id);
      await again();
      await handled();
      expect(await caseOf(id)).toEqual(before);
    }
  });

  test('when the end of a request comes before its beginning, then its case opens closed', async () => {
    const id = newId();
    await closed(id, 'CANCELLED');
    await suite.becomes(id, 'CANCELLED');
    await submitted(id);
    await handled();
    expect(await caseOf(id)).toMatchObject({ status: 'CANCELLED', requester_email: 'requester@acme.test', stages: [{ name: 'approval' }] });
  });

  test('when requests has approved what waits here, then the case says so too', async () => {
    const id = newId();
    await submitted(id);
    await suite.opened(id);
    await suite.tell('requests', RequestApprovedSchema, { requestId: id }, id);
    await suite.becomes(id, 'APPROVED');
  });

  test('when requests has closed a request otherwise than the votes said, then requests is right', async () => {
    const { id } = await suite.file();
    await suite.decide(alice, id);
    await closed(id, 'CANCELLED');
    await suite.becomes(id, 'CANCELLED');
    await suite.tell('requests', RequestApprovedSchema, { requestId: id }, id);
    await handled();
    expect(await caseOf(id)).toMatchObject({ status: 'CANCELLED' });
  });
});
