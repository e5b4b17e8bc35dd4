import { expect, test } from 'vitest';
import { headersOf } from './event.ts';
import { refusalOf } from './provenance.ts';
import { tells } from './topology.ts';

const headers = (type: string, service = 'requests') => ({
  ...headersOf(service, {
    id: '01890000-0000-7000-8000-000000000001',
    type,
    tenantId: '01890000-0000-7000-8000-000000000002',
    aggregateId: 'r-1',
    occurredAt: new Date(),
    origin: { requestId: '', ip: '', userAgent: '', traceparent: '' },
    payload: new Uint8Array(),
  }),
  'Nats-Msg-Id': 'once',
});
const approved = 'ns.requests.RequestApproved';

test('when a service tells what is its to tell, then it is believed', () => {
  expect(refusalOf(tells, approved, headers('RequestApproved'))).toBeUndefined();
  expect(refusalOf(tells, 'ns.audit.DeadLetterReplayed', headers('DeadLetterReplayed', 'audit'))).toBeUndefined();
});

test('when nobody is known to tell a type, then it is one of a newer version', () => {
  expect(refusalOf(tells, 'ns.requests.RequestDreamtOf', headers('RequestDreamtOf'))).toBeUndefined();
});

test.each([
  ['of another service', 'ns.identity.RequestApproved', headers('RequestApproved', 'identity')],
  ['whose source is another', approved, headers('RequestApproved', 'identity')],
  ['whose type is another', 'ns.requests.RequestClosed', headers('RequestApproved')],
  ['whose type is longer', 'ns.requests.RequestApproved.x', headers('RequestApproved')],
  ['that is an answer of the server', approved, {}],
  ['that a stream has republished', approved, { ...headers('RequestApproved'), 'Nats-Stream': '' }],
  ['that was taken from another stream', approved, { ...headers('RequestApproved'), 'Nats-Stream-Source': 'X 1 > >' }],
  ['that the server was to send later', approved, { ...headers('RequestApproved'), 'nats-scheduler': 'x' }],
])('when it is a message %s, then it is refused with its reason', (_, subject, given) => {
  expect(refusalOf(tells, subject, given)).toEqual(expect.any(String));
});
