import { patienceMs, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Broker,
  connectBroker,
  ensureConsumer,
  ensureStream,
  everyType,
  gatewayPermissions,
  inboxPrefixOf,
  permissionsOf,
  type Service,
  services,
  streamOf,
  subjectOf,
  subscriptions,
} from '../src/index.ts';
import { createOwnNats, type OwnNats } from './own-nats.ts';

const namespace = 'accessops';
let nats: OwnNats;
const brokers = {} as Record<Service | 'gateway', Broker>;
beforeAll(async () => {
  const users = services.map((service) => ({ user: service, password: service, permissions: permissionsOf(namespace, service) }));
  nats = await createOwnNats([...users, { user: 'gateway', password: 'gateway', permissions: gatewayPermissions(namespace) }]);
  await nats.start();
  for (const user of [...services, 'gateway'] as const) {
    brokers[user] = await connectBroker({ url: nats.url, user, password: user, timeoutMs: patienceMs });
  }
  for (const service of services) await ensureStream(brokers[service], namespace, service);
});
afterAll(async () => {
  await Promise.all(Object.values(brokers).map((broker) => broker.close()));
  await nats.close();
});

/** What the server says of the first thing it refuses a user once that has begun to do something. */
const refusal = async (broker: Broker, work: () => Promise<unknown>): Promise<string> => {
  const statuses = broker.connection.status();
  const refused = work().catch(() => undefined);
  for await (const { type, data } of statuses) {
    if (type !== 'error') continue;
    await refused;
    return String(data);
  }
  return 'nothing';
};
const tell = (broker: Broker, producer: string, text: string) =>
  broker.js.publish(subjectOf(namespace, producer, 'RequestProgressed'), text);

describe('what a service needs', () => {
  test('when its database was restored, then it replaces its stream', async () => {
    for (const service of services) {
      const before = await ensureStream(brokers[service], namespace, service);
      const looked: string[] = [];
      const beforeThat = async () => {
        await tell(brokers[service], service, 'lost');
        looked.push((await brokers[service].jsm.streams.getMessage(streamOf(namespace, service), { seq: 1 })).string());
      };
      expect(await ensureStream(brokers[service], namespace, service, 'another', beforeThat)).not.toBe(before);
      expect(await ensureStream(brokers[service], namespace, service, 'another', beforeThat)).not.toBe(before);
      expect(looked).toEqual(['lost']);
      expect(await ensureStream(brokers[service], namespace, service)).not.toBe(before);
    }
  });

  test('when it tells, then its stream takes it', async () => {
    for (const service of services) expect((await tell(brokers[service], service, 'x')).stream).toBe(streamOf(namespace, service));
  });

  test('when it listens to those it should, then it gets, acknowledges and gets no more', async () => {
    for (const service of services) await tell(brokers[service], service, 'x');
    for (const service of services) {
      for (const producer of subscriptions[service]) {
        await ensureConsumer(brokers[service], namespace, { producer, service, types: [everyType] });
        await ensureConsumer(brokers[service], namespace, { producer, service, types: [everyType] });
        const consumer = await brokers[service].js.consumers.get(streamOf(namespace, producer), service);
        const message = await until(() => consumer.next({ expires: 5000 }), { what: 'a message' });
        message.ack();
        await until(async () => (await consumer.info()).num_ack_pending === 0);
        expect((await consumer.info()).ack_floor.stream_seq).toBeGreaterThan(0);
      }
    }
  });

  test('when the relay looks who listens, then it may', async () => {
    for (const service of services) {
      for (const producer of subscriptions[service])
        await ensureConsumer(brokers[service], namespace, { producer, service, types: [everyType] });
    }
    for (const service of services) {
      const consumers = await brokers[service].jsm.consumers.list(streamOf(namespace, service)).next();
      expect(consumers.map(({ name }) => name).toSorted()).toEqual(
        services.filter((each) => subscriptions[each].includes(service)).toSorted(),
      );
    }
  });

  test('when identity tells, then the gateway hears it', async () => {
    const heard: string[] = [];
    brokers.gateway.connection.subscribe(subjectOf(namespace, 'identity'), { callback: (_, message) => heard.push(message.string()) });
    await brokers.gateway.connection.flush();
    await tell(brokers.identity, 'identity', 'session ended');
    await until(() => heard.includes('session ended'));
    expect(heard).toEqual(['session ended']);
  });
});

describe('what a service must not do', () => {
  test('when it tells in the name of another, then it is refused and the stream of the other stays as it is', async () => {
    for (const service of services) {
      for (const other of services.filter((each) => each !== service)) {
        const before = (await brokers[other].jsm.streams.info(streamOf(namespace, other))).state.last_seq;
        expect(await refusal(brokers[service], () => tell(brokers[service], other, 'forged'))).toBe('PERMISSIONS_VIOLATION');
        expect((await brokers[other].jsm.streams.info(streamOf(namespace, other))).state.last_seq).toBe(before);
      }
    }
    expect(await refusal(brokers.gateway, () => tell(brokers.gateway, 'identity', 'forged'))).toBe('PERMISSIONS_VIOLATION');
  });

  test('when it listens to somebody it need not hear, or takes the consumer of another, then it is refused', async () => {
    const outsiders = services.flatMap((service) =>
      services.filter((producer) => !subscriptions[service].includes(producer)).map((producer) => ({ service, producer })),
    );
    expect(outsiders.length).toBeGreaterThan(5);
    for (const { service, producer } of outsiders) {
      const { jsm } = brokers[service];
      await expect(jsm.consumers.info(streamOf(namespace, producer), service)).rejects.toThrow();
    }
    const { requests } = brokers;
    const asAudit = { durable_name: 'audit', filter_subject: subjectOf(namespace, 'identity'), ack_policy: 'explicit' as never };
    await expect(requests.jsm.consumers.add(streamOf(namespace, 'identity'), asAudit)).rejects.toThrow();
  });

  test('when it subscribes to subjects, inboxes or the API itself, then it is refused', async () => {
    const subjects = ['>', subjectOf(namespace, 'identity'), `${inboxPrefixOf('identity')}.>`, '_INBOX.>', '$JS.>', '$SYS.>'];
    for (const subject of subjects) {
      const refused = await new Promise<string>((resolve) => {
        brokers.approvals.connection.subscribe(subject, { callback: (error) => resolve(error?.message ?? 'a message came') });
      });
      expect(refused).toContain(`Permissions Violation for Subscription to "${subject}"`);
    }
  });

  test('when it deletes, empties or reads the stream of another, or makes one over the subjects of others, then it is refused', async () => {
    const { jsm } = brokers.requests;
    const another = streamOf(namespace, 'identity');
    await expect(jsm.streams.delete(another)).rejects.toThrow();
    await expect(jsm.streams.purge(another)).rejects.toThrow();
    await expect(jsm.streams.getMessage(another, { seq: 1 })).rejects.toThrow();
    await expect(jsm.streams.add({ name: 'MIRROR', subjects: ['accessops.identity.>'] })).rejects.toThrow();
  });
});
