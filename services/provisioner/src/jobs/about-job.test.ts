import { expect, test } from 'vitest';
import { aboutJob } from './about-job.ts';
import type { ClaimedJob, ClaimedTask } from './job.ts';

const job = {
  id: 'job',
  kind: 'PROVISION',
  attempts: 2,
  tenantId: 'tenant',
  requestId: 'access request',
  origin: { requestId: 'call', ip: '192.0.2.1', userAgent: 'curl', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
} as ClaimedJob;

test('when a line is about a job, then it names the job, its tenant, the request for access, the call and the trace, and nothing else', () => {
  expect(aboutJob(job)).toEqual({
    job_id: 'job',
    kind: 'PROVISION',
    attempt: 2,
    tenant: 'tenant',
    access_request_id: 'access request',
    request_id: 'call',
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  });
});

test('when a job is about no access and nobody traces it, then those names are left out', () => {
  const task = { ...job, requestId: null, kind: 'REPORT', origin: { ...job.origin, traceparent: '' } } as unknown as ClaimedTask;
  expect(JSON.parse(JSON.stringify(aboutJob(task)))).toEqual({
    job_id: 'job',
    kind: 'REPORT',
    attempt: 2,
    tenant: 'tenant',
    request_id: 'call',
  });
});
