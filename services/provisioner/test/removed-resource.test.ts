import { newId } from '@accessops/db';
import { RequestApprovedSchema, ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

const patience = 60_000;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const approve = async (resourceId: string, config: object = {}): Promise<string> => {
  const requestId = newId();
  const of = { resourceId, resourceKey: 'staging-db', role: 'reader', duration: 'PT1H', connector: 'simulated' };
  const message = { ...of, requestId, requesterId: suite.requester.id, configJson: JSON.stringify(config), parametersJson: '{}' };
  await suite.tell('requests', RequestApprovedSchema, message, { aggregateId: requestId });
  return requestId;
};
const remove = (resourceId: string) => {
  const change = { action: 'RESOURCE_DELETED', entityType: 'RESOURCE', entityId: resourceId };
  return suite.tell('requests', ResourceChangedSchema, { resourceId, change }, { aggregateId: resourceId });
};
const isPresent = async (requestId: string) => (await suite.target((await suite.job(requestId))?.id ?? ''))?.present ?? false;

test('when a resource is removed, then access to it ends, and to no other', async () => {
  const [removed, stays] = [newId(), newId()];
  const requests = await Promise.all([approve(removed), approve(removed), approve(stays)]);
  for (const requestId of requests) await suite.grantIs(requestId, ['ACTIVE'], patience);
  await remove(removed);
  for (const requestId of requests.slice(0, 2)) {
    expect(await suite.grantIs(requestId, ['REVOKED'], patience)).toMatchObject({ end_reason: 'RESOURCE_REMOVED' });
    expect(await isPresent(requestId)).toBe(false);
  }
  expect(await suite.grant(requests[2] ?? '')).toMatchObject({ status: 'ACTIVE' });
});

test('when an approval comes after the removal, then its job fails and says why', async () => {
  const resourceId = newId();
  await remove(resourceId);
  await until(async () => (await suite.sql.query('select 1 from removed_resource where resource_id = $1', [resourceId])).rowCount);
  const requestId = await approve(resourceId);
  expect(await suite.jobIs(requestId, 'FAILED', patience)).toMatchObject({ last_error: 'The resource has been removed' });
});

test('when a resource is removed as access to it is being given, then there is none in the end', async () => {
  const round = async (n: number) => {
    const resourceId = newId();
    const requestId = await approve(resourceId, { latencyMs: (n % 4) * 50, answerLatencyMs: (n % 5) * 50 });
    if (n % 2) await until(() => suite.job(requestId));
    await remove(resourceId);
    const job = await until(
      async () => {
        const found = await suite.job(requestId);
        return found && ['SUCCEEDED', 'FAILED'].includes(found.status) && found;
      },
      { timeoutMs: patience },
    );
    if (job.status === 'SUCCEEDED') await suite.grantIs(requestId, ['REVOKED'], patience);
    expect(await isPresent(requestId)).toBe(false);
  };
  for (let n = 0; n < 30; n += 6) await Promise.all(Array.from({ length: 6 }, (_, more) => round(n + more)));
}, 90_000);
