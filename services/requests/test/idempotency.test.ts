import { randomUUID } from 'node:crypto';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import type { Metadata } from '@accessops/grpc';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, clientOf, codeOf, outcomes, type Person, requestFields, Suite, Tenant, typeFields } from './suite.ts';

const keyed = (who: Person, key: string, fingerprint = 'a'): Person =>
  as(who, { 'idempotency-key': encodeURIComponent(`POST /api/v1/requests ${key}`), 'idempotency-fingerprint': fingerprint });

/** A way to the service that can lose its answers. */
const createLine = async (address: string) => {
  const [host = '', port = ''] = address.split(':');
  const sockets = new Set<Socket>();
  let losing = false;
  const server = createServer((near) => {
    const far = connectSocket(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.on('data', (bytes) => {
      if (!losing) near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address() as { port: number };
  return {
    address: `127.0.0.1:${own.port}`,
    loseAnswers: () => {
      losing = true;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

describe('an Idempotency-Key', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let type: { id: string };

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    type = await tenant.type();
  });
  afterAll(() => suite.stop());

  const requestsOf = async (resourceId: string): Promise<string[]> =>
    (await suite.admin.query('select id from access_request where resource_id = $1', [resourceId])).rows.map(({ id }) => id);

  test('when the same call comes again, then it gets the same answer and acts once', async () => {
    const resource = await tenant.resource(type);
    const who = keyed(requester, randomUUID());
    const trailers: Metadata[] = [];
    const submit = () => suite.client.submitRequest(requestFields(resource), { ...who, onTrailer: (trailer) => trailers.push(trailer) });
    const first = await submit();
    await suite.client.cancelRequest({ id: first.id }, requester);
    expect(await submit()).toEqual(first);
    expect(trailers.map((trailer) => trailer.get('idempotency-replayed'))).toEqual([[], ['true']]);
    expect(await requestsOf(resource.id)).toEqual([first.id]);
    expect(await suite.actionsOf(first.id)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
  });

  test('when the same key comes with another body, then it is refused; another person may use it', async () => {
    const resource = await tenant.resource(type);
    const key = randomUUID();
    await suite.client.submitRequest(requestFields(resource), keyed(requester, key));
    expect(await codeOf(suite.client.submitRequest(requestFields(resource, { role: 'writer' }), keyed(requester, key, 'b')))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    const other = await tenant.person(['requester']);
    await suite.client.submitRequest(requestFields(resource), keyed(other, key, 'b'));
    expect(await requestsOf(resource.id)).toHaveLength(2);
  });

  test('when the call is still running, then the same call says so', async () => {
    const resource = await tenant.resource(type);
    const who = keyed(requester, randomUUID());
    const lock = await suite.admin.connect();
    try {
      await lock.query('begin');
      await lock.query('select 1 from resource where id = $1 for update', [resource.id]);
      const first = suite.client.submitRequest(requestFields(resource), who);
      await until(
        async () =>
          (await suite.admin.query(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`))
            .rowCount,
        { what: 'the first call waits' },
      );
      expect(await codeOf(suite.client.submitRequest(requestFields(resource), who))).toBe('IDEMPOTENCY_IN_PROGRESS');
      await lock.query('rollback');
      expect((await first).status).toBe('PENDING');
    } finally {
      lock.release();
    }
    expect(await requestsOf(resource.id)).toHaveLength(1);
  });

  test('when twelve of the same call come at once, then one acts and the others say so or replay it', async () => {
    const resource = await tenant.resource(type);
    const who = keyed(requester, randomUUID());
    const results = await outcomes(Array.from({ length: 12 }, () => suite.client.submitRequest(requestFields(resource), who)));
    expect(results.filter((result) => result !== 'IDEMPOTENCY_IN_PROGRESS' && result !== 'OK')).toEqual([]);
    expect(results).toContain('OK');
    expect(await requestsOf(resource.id)).toHaveLength(1);
  });

  test('when a call fails, then the key is free for the call that is right', async () => {
    const resource = await tenant.resource(type);
    const who = keyed(requester, randomUUID());
    expect(await codeOf(suite.client.submitRequest(requestFields(resource, { duration: 'PT0S' }), who))).toBe('INVALID_FIELDS');
    expect((await suite.client.submitRequest(requestFields(resource), who)).status).toBe('PENDING');
  });

  test('when the connection dies between commit and answer, then the retry gets the answer and acts once', async () => {
    const resource = await tenant.resource(type);
    const who = keyed(requester, randomUUID());
    const line = await createLine(suite.service.address);
    const client = clientOf(line.address);
    try {
      await client.getResource({ id: resource.id }, requester);
      line.loseAnswers();
      const lost = outcomes([client.submitRequest(requestFields(resource), who)]);
      const [id] = await until(async () => {
        const ids = await requestsOf(resource.id);
        return ids.length > 0 && ids;
      });
      line.cut();
      expect(await lost).toEqual(['DEPENDENCY_UNAVAILABLE']);
      const retried = await suite.client.submitRequest(requestFields(resource), who);
      expect(retried).toMatchObject({ id, status: 'PENDING' });
      expect(await requestsOf(resource.id)).toEqual([id]);
      expect(await suite.actionsOf(retried.id)).toEqual(['REQUEST_CREATED']);
    } finally {
      client.close();
      await line.close();
    }
  });

  test('when other changes are sent twice under one key, then they happen once', async () => {
    const admin = await tenant.admin;
    const creating = { ...typeFields() };
    const twice = async <T>(call: (who: Person) => Promise<T>, who: Person) => {
      const same = keyed(who, randomUUID());
      const [first, second] = [await call(same), await call(same)];
      expect(second).toEqual(first);
      return first;
    };
    const made = await twice((who) => suite.client.createResourceType(creating, who), admin);
    const key = `res-${made.key}`;
    const resource = await twice((who) => suite.client.createResource({ key, name: 'R', resourceTypeId: made.id }, who), admin);
    await twice((who) => suite.client.updateResource({ id: resource.id, name: 'S' }, who), admin);
    const request = await suite.client.submitRequest(requestFields(resource), requester);
    await twice((who) => suite.client.cancelRequest({ id: request.id }, who), requester);
    await twice((who) => suite.client.deleteResource({ id: resource.id }, who), admin);
    await twice((who) => suite.client.deleteResourceType({ id: made.id }, who), admin);
    expect(await suite.actionsOf(resource.id)).toEqual(['RESOURCE_CREATED', 'RESOURCE_UPDATED', 'RESOURCE_DELETED']);
    expect(await suite.actionsOf(request.id)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
  });
});
