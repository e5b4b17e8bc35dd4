import { describe, expect, test } from 'vitest';
import { attributesOf } from './access-request.ts';
import { RequestProgress } from './request-progress.ts';
import { leadTo, type RequestStatus, requestStatuses } from './request-status.ts';

const ends: RequestStatus[] = ['EXPIRED', 'REVOKED', 'REJECTED', 'CANCELLED', 'LAPSED'];

const requestIn = (status: RequestStatus): RequestProgress => new RequestProgress({ status, jobId: null, grantId: null, retryBalance: 0 });

const steps: [string, (request: RequestProgress) => boolean][] = [
  ['queue', (request) => request.queue('job')],
  ['fail', (request) => request.fail('job')],
  ['retry', (request) => request.retry('job')],
  ['activate', (request) => request.activate('job', 'grant')],
  ['expire', (request) => request.end('grant', 'EXPIRED')],
  ['revoke', (request) => request.end('grant', 'REVOKED')],
];

describe('the states of a request', () => {
  test('when a request is over, then no way leads on', () => {
    for (const from of Object.values(leadTo)) expect(from.filter((status) => ends.includes(status))).toEqual([]);
  });

  test('when a request waits, then only a decision or its requester moves it', () => {
    expect(requestStatuses.filter((status) => leadTo[status].includes('PENDING'))).toEqual(['APPROVED', 'REJECTED', 'CANCELLED', 'LAPSED']);
  });

  test.each(['PENDING', ...ends] as RequestStatus[])('when a request is %s, then nothing told of a job or grant moves it', (status) => {
    for (const [, step] of steps) {
      const request = requestIn(status);
      expect([step(request), request.status]).toEqual([false, status]);
    }
  });

  test('when news come in any order, then the last word is the same', () => {
    const lastWord = (order: number[]) => {
      const story = [steps[0], steps[1], steps[2], steps[3], steps[4]];
      const request = requestIn('APPROVED');
      for (const index of order) story[index]?.[1](request);
      return [request.status, request.jobId, request.grantId, request.retryBalance];
    };
    const permutations = (rest: number[]): number[][] =>
      rest.length === 0 ? [[]] : rest.flatMap((one) => permutations(rest.filter((other) => other !== one)).map((order) => [one, ...order]));
    for (const order of permutations([0, 1, 2, 3, 4])) expect([order, lastWord(order)]).toEqual([order, ['EXPIRED', 'job', 'grant', 0]]);
  });

  test('when a failed job is retried, then the request is under way again, whichever is heard of first', () => {
    const [late, early] = [requestIn('PROVISIONING'), requestIn('PROVISIONING')];
    expect([late.fail('job'), late.status, late.retry('job'), late.status]).toEqual([true, 'FAILED', true, 'PROVISIONING']);
    expect([early.retry('job'), early.fail('job'), early.status]).toEqual([false, false, 'PROVISIONING']);
    expect([early.fail('job'), early.status]).toEqual([true, 'FAILED']);
  });
});

test('when policy is asked about a request, then it sees who filed it and who may decide', () => {
  const stages = [
    { name: 'approval', required: 1, roles: ['approver', 'admin'], teamId: '' },
    { name: 'owning-team', required: 1, roles: [], teamId: 'team' },
    { name: 'admin', required: 1, roles: ['admin'], teamId: '' },
  ];
  expect(attributesOf({ tenantId: 't', requesterId: 'r', stages })).toEqual({
    tenantId: 't',
    requesterId: 'r',
    stageRoles: ['approver', 'admin'],
    stageTeams: ['team'],
  });
});
