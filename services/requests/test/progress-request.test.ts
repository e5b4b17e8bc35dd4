import { newId } from '@accessops/db';
import {
  GrantActivatedSchema,
  GrantEndedSchema,
  JobFailedSchema,
  JobQueuedSchema,
  JobRetriedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, requestFields, Suite, Tenant, unknownId } from './suite.ts';

/** What the provisioner tells of one request. */
const news = ['queued', 'failed', 'retried', 'activated', 'expired', 'revoked'] as const;
type News = (typeof news)[number];

describe('what the provisioner tells of a request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let type: { id: string };

  beforeAll(async () => {
    suite = await Suite.start({ overrides: { backOffMs: [5] } });
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    type = await tenant.type({ sensitivity: 'low' });
  });
  afterAll(() => suite.stop());

  const approved = async () => {
    const { id } = await suite.client.submitRequest(requestFields(await tenant.resource(type), { duration: 'PT1H' }), requester);
    return { id, jobId: newId(), grantId: newId() };
  };
  type Case = Awaited<ReturnType<typeof approved>>;

  const tell = ({ id, jobId, grantId }: Case, what: News, { kind = 'PROVISION', eventId = newId() } = {}) => {
    const job = { jobId, requestId: id, kind };
    const about = { tenantId: tenant.id, aggregateId: id, id: eventId };
    const grant = { grantId, requestId: id };
    switch (what) {
      case 'queued':
        return suite.tell('provisioner', JobQueuedSchema, job, about);
      case 'failed':
        return suite.tell('provisioner', JobFailedSchema, { ...job, error: 'no' }, about);
      case 'retried':
        return suite.tell('provisioner', JobRetriedSchema, job, about);
      case 'activated':
        return suite.tell('provisioner', GrantActivatedSchema, { ...grant, jobId }, about);
      default:
        return suite.tell('provisioner', GrantEndedSchema, { ...grant, status: what.toUpperCase() }, about);
    }
  };

  test.each<[News[], string, string[]]>([
    [['queued', 'activated', 'expired'], 'EXPIRED', ['PROVISIONING', 'ACTIVATED', 'EXPIRED']],
    [['queued', 'activated', 'revoked'], 'REVOKED', ['PROVISIONING', 'ACTIVATED', 'REVOKED']],
    [['queued', 'failed'], 'FAILED', ['PROVISIONING', 'FAILED']],
    [['queued', 'failed', 'retried'], 'PROVISIONING', ['PROVISIONING', 'FAILED', 'PROVISIONING']],
    [['queued', 'failed', 'retried', 'failed'], 'FAILED', ['PROVISIONING', 'FAILED', 'PROVISIONING', 'FAILED']],
    [['queued', 'failed', 'retried', 'activated'], 'ACTIVE', ['PROVISIONING', 'FAILED', 'PROVISIONING', 'ACTIVATED']],
    // Out of order:
    [['activated', 'queued'], 'ACTIVE', ['ACTIVATED']],
    [['failed', 'queued'], 'FAILED', ['FAILED']],
    [['queued', 'retried', 'failed'], 'PROVISIONING', ['PROVISIONING']],
    [['queued', 'retried', 'failed', 'failed'], 'FAILED', ['PROVISIONING', 'FAILED']],
    [['queued', 'expired', 'activated'], 'EXPIRED', ['PROVISIONING', 'EXPIRED']],
    [['revoked', 'activated', 'queued'], 'REVOKED', ['REVOKED']],
    [['queued', 'failed', 'activated', 'retried'], 'ACTIVE', ['PROVISIONING', 'FAILED', 'ACTIVATED']],
    [['queued', 'activated', 'failed'], 'ACTIVE', ['PROVISIONING', 'ACTIVATED']],
    // What is over stays over:
    [
      ['queued', 'activated', 'expired', 'revoked', 'failed', 'retried', 'activated', 'queued'],
      'EXPIRED',
      ['PROVISIONING', 'ACTIVATED', 'EXPIRED'],
    ],
  ])('when it is %j, then the request is %s and each step is told once', async (what, status, actions) => {
    const it = await approved();
    for (const one of what) await tell(it, one);
    await suite.settled();
    const request = await suite.client.getRequest({ id: it.id }, requester);
    expect(request.status).toBe(status);
    expect(request.jobId).toBe(what[0] === 'revoked' ? request.jobId : it.jobId);
    expect(request.grantId).toBe(what.some((one) => ['activated', 'expired', 'revoked'].includes(one)) ? it.grantId : '');
    const told = await suite.toldOf(it.id);
    expect(told.map(({ action }) => action)).toEqual([
      'REQUEST_CREATED',
      'REQUEST_APPROVED',
      ...actions.map((action) => `REQUEST_${action}`),
    ]);
    expect(told.slice(2).every(({ actor, type: event }) => actor.id === 'requests' && event === 'RequestProgressed')).toBe(true);
  });

  test('when each event comes three times, then it has one effect', async () => {
    const it = await approved();
    const eventIds = Object.fromEntries(news.map((one) => [one, newId()]));
    for (const one of [
      'queued',
      'failed',
      'failed',
      'queued',
      'retried',
      'retried',
      'activated',
      'failed',
      'activated',
      'expired',
      'expired',
    ] as News[]) {
      await tell(it, one, { eventId: eventIds[one] });
    }
    await suite.settled();
    expect((await suite.actionsOf(it.id)).slice(2)).toEqual([
      'REQUEST_PROVISIONING',
      'REQUEST_FAILED',
      'REQUEST_PROVISIONING',
      'REQUEST_ACTIVATED',
      'REQUEST_EXPIRED',
    ]);
  });

  test('when the job only revokes, then the request does not follow it', async () => {
    const it = await approved();
    await tell(it, 'queued');
    await tell(it, 'activated');
    const revoking = { ...it, jobId: newId() };
    for (const one of ['queued', 'failed', 'retried'] as News[]) await tell(revoking, one, { kind: 'REVOKE' });
    await suite.settled();
    const request = await suite.client.getRequest({ id: it.id }, requester);
    expect([request.status, request.jobId]).toEqual(['ACTIVE', it.jobId]);
  });

  test('when a request ends before it was approved here, then what is told of a job does not revive it', async () => {
    const { id } = await tenant.pending(requester);
    await suite.client.cancelRequest({ id }, requester);
    const it = { id, jobId: newId(), grantId: newId() };
    for (const one of ['queued', 'activated', 'expired'] as News[]) await tell(it, one);
    await suite.settled();
    expect((await suite.client.getRequest({ id }, requester)).status).toBe('CANCELLED');
    expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
  });

  test('when the request is unknown, then the event is parked and the others flow on', async () => {
    const it = await approved();
    await tell({ ...it, id: unknownId }, 'queued');
    await tell(it, 'queued');
    await suite.settled();
    expect((await suite.client.getRequest({ id: it.id }, requester)).status).toBe('PROVISIONING');
    const { rows } = await suite.admin.query(`select event_type, status from dead_letter`);
    expect(rows).toEqual([{ event_type: 'JobQueued', status: 'PARKED' }]);
  });
});
