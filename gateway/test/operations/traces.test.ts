import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayEnvironment, type Item, type Person, startWorld, type World } from '../world.ts';

const hex = (length: number) => randomUUID().replaceAll('-', '').slice(0, length);
const traceparentFor = (traceId: string, flags = '01') => `00-${traceId}-${hex(16)}-${flags}`;

/** An organisation with something to ask for, and those who ask and decide. */
const cast = async (world: World) => {
  const { admin, slug, id } = await world.organization();
  const [requester, ...approvers] = await Promise.all([
    world.person(admin, slug, ['requester']),
    world.person(admin, slug, ['approver']),
    world.person(admin, slug, ['approver']),
  ]);
  const make = async (path: string, body: unknown) => {
    const { status, text, body: made } = await world.call('POST', `/org/${path}`, { token: admin.token, body });
    if (status !== 201) throw new Error(text);
    return made as Item;
  };
  const type = await make('resource-types', {
    key: `t-${hex(8)}`,
    name: 'Type',
    connector: 'simulated',
    roles: ['reader'],
    sensitivity: 'high',
    maxDuration: 'P1D',
  });
  const resource = () => make('resources', { key: `r-${hex(8)}`, name: 'Resource', resourceTypeId: type.id });
  return { tenantId: id, admin, requester, approvers, resource };
};

type Cast = Awaited<ReturnType<typeof cast>>;

const file = async (world: World, { requester, resource }: Cast, headers: Record<string, string> = {}) => {
  const body = { resourceId: (await resource()).id, role: 'reader', justification: 'An incident', duration: 'PT1H' };
  const answer = await world.call('POST', '/requests', { token: requester.token, body, headers });
  expect(answer.status).toBe(201);
  return answer.body as Item;
};

const vote = async (world: World, voter: Person, requestId: string, headers: Record<string, string>) => {
  const answer = await world.call('POST', `/requests/${requestId}/approve`, { token: voter.token, body: { comment: 'fine' }, headers });
  expect(answer.status).toBe(200);
};

const active = (world: World, { requester }: Cast, id: string) =>
  until(async () => (await world.call('GET', `/requests/${id}`, { token: requester.token })).body.status === 'ACTIVE', {
    what: 'an active request',
    timeoutMs: 20_000,
  });

describe('one request', () => {
  let receiver: TraceReceiver;
  let world: World;
  let people: Cast;
  beforeAll(async () => {
    receiver = await startTraceReceiver();
    world = await startWorld({ overridesOf: () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }) });
    people = await cast(world);
  });
  afterAll(async () => {
    await world?.close();
    await receiver?.close();
  });

  const ofTrace = (traceId: string) => receiver.spans().filter((span) => span.traceId === traceId);
  const has = (spans: ReceivedSpan[], name: string, service: string) =>
    spans.some((span) => span.name === name && span.service === service);

  test('when it is approved by two votes, then one trace leads from POST /requests to GRANT_ACTIVATED in the audit log', async () => {
    const traceId = hex(32);
    const voteTraces = [hex(32), hex(32)];
    const caller = traceparentFor(traceId);
    const request = await file(world, people, { traceparent: caller, 'x-request-id': 'traced-1' });
    for (const [index, voter] of people.approvers.entries())
      await vote(world, voter, request.id, { traceparent: traceparentFor(voteTraces[index] ?? '') });
    await active(world, people, request.id);
    // Each process sends its own, now and then. Nothing hangs in the air: every span but the first follows from another one of this trace.
    const spans = await until(
      () => {
        const found = ofTrace(traceId);
        const ids = new Set(found.map(({ spanId }) => spanId));
        const isWhole = found.filter(({ parentSpanId }) => !ids.has(parentSpanId)).length === 1;
        return isWhole && has(found, 'process GrantActivated', 'audit') && has(found, 'process GrantActivated', 'requests') && found;
      },
      { what: 'the whole trace', timeoutMs: 20_000 },
    );
    const first = spans.find(({ name }) => name === 'POST /api/v1/requests');
    expect(first?.parentSpanId).toBe(caller.split('-')[2]);
    const byId = new Map(spans.map((span) => [span.spanId, span]));

    const wayTo = (span: ReceivedSpan | undefined): string[] =>
      span ? [...wayTo(byId.get(span.parentSpanId)), `${span.service}: ${span.name}`] : [];
    const way = wayTo(spans.find(({ name, service }) => name === 'process GrantActivated' && service === 'audit'));
    // The last vote is settled by a call and told by an event, whichever is faster.
    const settled = way.splice(4, 2);
    expect([
      ['approvals: accessops.requests.v1.RequestsService/SettleRequest', 'requests: accessops.requests.v1.RequestsService/SettleRequest'],
      ['approvals: publish ApprovalDecided', 'requests: process ApprovalDecided'],
    ]).toContainEqual(settled);
    expect(way).toEqual([
      'gateway: POST /api/v1/requests',
      'gateway: accessops.requests.v1.RequestsService/SubmitRequest',
      'requests: accessops.requests.v1.RequestsService/SubmitRequest',
      'approvals: vote',
      'requests: publish RequestApproved',
      'provisioner: process RequestApproved',
      'provisioner: job PROVISION',
      'provisioner: publish GrantActivated',
      'audit: process GrantActivated',
    ]);
    const applied = spans.find(({ name }) => name === 'APPLY simulated');
    expect(wayTo(applied).at(-2)).toBe('provisioner: job PROVISION');

    const votes = spans.filter(({ name }) => name === 'vote');
    expect(votes.map(({ links }) => links[0]?.traceId).sort()).toEqual(voteTraces.sort());
    expect(spans.filter(({ isError }) => isError)).toEqual([]);
    for (const span of spans) expect(span.endedAt).toBeGreaterThanOrEqual(span.startedAt);
  });

  test('when spans are recorded, then they say what operators need, and nothing of people or secrets', async () => {
    const traceId = hex(32);
    await file(world, people, { traceparent: traceparentFor(traceId), 'x-request-id': 'traced-2' });
    const spans = await until(() => {
      const found = ofTrace(traceId);
      return has(found, 'process RequestSubmitted', 'audit') && has(found, 'POST /api/v1/requests', 'gateway') && found;
    });
    const of = (name: string, kind: string) => spans.find((span) => span.name === name && span.kind === kind)?.attributes;
    expect(of('POST /api/v1/requests', 'SERVER')).toEqual({
      'http.request.method': 'POST',
      'http.route': '/api/v1/requests',
      'http.response.status_code': 201,
      'accessops.request.id': 'traced-2',
      'accessops.tenant.id': people.tenantId,
      'accessops.code': 'ok',
    });
    expect(of('accessops.requests.v1.RequestsService/SubmitRequest', 'SERVER')).toEqual({
      'rpc.system': 'grpc',
      'rpc.service': 'accessops.requests.v1.RequestsService',
      'rpc.method': 'SubmitRequest',
      'accessops.tenant.id': people.tenantId,
    });
    expect(of('publish RequestSubmitted', 'PRODUCER')).toMatchObject({
      'messaging.system': 'nats',
      'messaging.destination.name': `${world.namespace}.requests.RequestSubmitted`,
      'messaging.message.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'accessops.tenant.id': people.tenantId,
    });
    const told = JSON.stringify(receiver.spans(), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    for (const { email, token } of [people.admin, people.requester, ...people.approvers]) {
      expect(told).not.toContain(email);
      expect(told).not.toContain(token);
    }
    expect(told).not.toMatch(/@|eyJ|select |An incident/);
  });

  test('when something is refused, then its span tells the code, and that it is nobody’s fault here', async () => {
    const traceId = hex(32);
    const { token } = people.requester;
    const answer = await world.call('GET', `/requests/${randomUUID()}`, { token, headers: { traceparent: traceparentFor(traceId) } });
    expect(answer.status).toBe(404);
    const spans = await until(() => {
      const found = ofTrace(traceId);
      return (
        has(found, 'GET /api/v1/requests/{id}', 'gateway') &&
        has(found, 'accessops.requests.v1.RequestsService/GetRequest', 'requests') &&
        found
      );
    });
    expect(spans.filter(({ isError }) => isError)).toEqual([]);
    expect(spans.map(({ attributes }) => attributes['accessops.code'])).toContain('REQUEST_NOT_FOUND');
  });

  test('when the caller has decided that nothing is recorded, then nothing is', async () => {
    const [unsampled, sampled] = [hex(32), hex(32)];
    await file(world, people, { traceparent: traceparentFor(unsampled, '00') });
    await file(world, people, { traceparent: traceparentFor(sampled) });
    await until(() => has(ofTrace(sampled), 'process RequestSubmitted', 'audit'));
    expect(ofTrace(unsampled)).toEqual([]);
  });

  test('when the caller has no trace, then one begins', async () => {
    const requestId = `own-${hex(8)}`;
    await file(world, people, { 'x-request-id': requestId });
    const first = await until(() =>
      receiver.spans().find(({ kind, attributes }) => kind === 'SERVER' && attributes['accessops.request.id'] === requestId),
    );
    expect(first.parentSpanId).toBe('');
    await until(() => has(ofTrace(first.traceId), 'process RequestSubmitted', 'audit'));
  });

  test('when the request was not recorded, then a vote that is stays whole in its own trace', async () => {
    const traceId = hex(32);
    const request = await file(world, people, { traceparent: traceparentFor(hex(32), '00') });
    for (const voter of people.approvers) await vote(world, voter, request.id, { traceparent: traceparentFor(traceId) });
    await until(() => has(ofTrace(traceId), 'process RequestApproved', 'provisioner'));
    expect(ofTrace(traceId).map(({ name }) => name)).not.toContain('vote');
  });
});

test('when the collector takes what it is sent and never answers, then requests are served all the same, and the stop waits for nobody', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const world = await startWorld({ overridesOf: () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }) });
  const people = await cast(world);
  const request = await file(world, people);
  for (const voter of people.approvers) await vote(world, voter, request.id, {});
  await active(world, people, request.id);
  const startedAt = performance.now();
  await world.close();
  // Six processes, each of which waits a second at most, one after the other.
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  silent.closeAllConnections();
  silent.close();
});

test('when a collector, a sampler or a DSN makes no sense, then the process does not start, and names each on a line', () => {
  const bad = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_TRACES_SAMPLER_ARG: '7',
    SENTRY_DSN: 'sentry',
  };
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, '../../main.ts')], {
    env: gatewayEnvironment({}, bad),
    encoding: 'utf8',
  });
  expect(status).toBe(78);
  expect(
    stderr
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]),
  ).toEqual(Object.keys(bad));
});
