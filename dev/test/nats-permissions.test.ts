import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectBroker,
  ensureConsumer,
  ensureStream,
  everyType,
  inboxPrefixOf,
  type Service,
  services,
  streamOf,
  subjectOf,
  subscriptions,
} from '@accessops/events';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNatsServer, natsUsers, openDataPaths, ProcessGroup, prepareNats, reserveFreePort, type Secrets } from '../src/index.ts';

const namespace = 'accessops';
const users = [...services, 'gateway', 'platform'] as const;
const passwords = Object.fromEntries(users.map((user) => [user, randomBytes(8).toString('hex')])) as Secrets['nats'];

const paths = openDataPaths(mkdtempSync(join(tmpdir(), 'accessops-nats-')));
const group = new ProcessGroup(paths);
let url: string;
const open: NatsConnection[] = [];

beforeAll(async () => {
  const port = await reserveFreePort();
  url = `nats://127.0.0.1:${port.port}`;
  const program = await findNatsServer(() => {});
  const [directory, configFile] = [join(paths.data, 'nats'), join(paths.run, 'nats.conf')];
  await group.launch(prepareNats({ program, directory, configFile, port, users: natsUsers(namespace, passwords) }), 0);
  for (const service of services) {
    const broker = await brokerOf(service);
    await ensureStream(broker, namespace, service);
  }
});

afterAll(async () => {
  for (const connection of open) await connection.close();
  await group.stop();
  rmSync(paths.directory, { recursive: true, force: true });
});

const brokerOf = async (user: (typeof users)[number]) => {
  const broker = await connectBroker({ url, user, password: passwords[user] });
  open.push(broker.connection);
  return broker;
};

/** What the server refused a user while `act` ran. */
const refusals = async (user: (typeof users)[number], act: (connection: NatsConnection) => void): Promise<string[]> => {
  const connection = await connect({ servers: url, user, pass: passwords[user], inboxPrefix: inboxPrefixOf(user) });
  const refused: string[] = [];
  const watch = async () => {
    for await (const { data, permissionContext } of connection.status()) refused.push(permissionContext?.subject ?? String(data));
  };
  void watch();
  act(connection);
  // The server answers in order: with the second reply every refusal has arrived; one turn later it is noted.
  await connection.flush();
  await connection.flush();
  await new Promise((resolve) => setImmediate(resolve));
  await connection.close();
  return refused;
};

const others = (service: string) => services.filter((other) => other !== service);

describe.each(services)('the NATS user of %s', (service: Service) => {
  test('when it publishes its own events, then they are stored', async () => {
    const { js } = await brokerOf(service);
    const { stream } = await js.publish(subjectOf(namespace, service, 'Something'), 'x');
    expect(stream).toBe(streamOf(namespace, service));
  });

  test('when it publishes under the name of another, then it is refused', async () => {
    const subjects = others(service).map((other) => subjectOf(namespace, other, 'Something'));
    expect(await refusals(service, (connection) => subjects.map((subject) => connection.publish(subject)))).toEqual(subjects);
  });

  test('when it reads what it subscribes to, then it gets the events', async () => {
    const { js: _, ...broker } = await brokerOf(service);
    for (const producer of subscriptions[service]) {
      const { js } = await brokerOf(producer);
      await js.publish(subjectOf(namespace, producer, 'Something'), producer);
      await ensureConsumer({ js, ...broker }, namespace, { producer, service, types: [everyType] });
      const consumer = await broker.connection.jetstream().consumers.get(streamOf(namespace, producer), service);
      const message = await consumer.next({ expires: 5000 });
      expect(message?.subject).toBe(subjectOf(namespace, producer, 'Something'));
      expect(await message?.ackAck()).toBe(true);
    }
  });

  test('when it reads anything else, then it is refused', async () => {
    const { jsm } = await brokerOf(service);
    const foreign = services.filter((producer) => !subscriptions[service].includes(producer));
    for (const producer of foreign) {
      const stream = streamOf(namespace, producer);
      await expect(jsm.consumers.add(stream, { durable_name: service, filter_subject: subjectOf(namespace, producer) })).rejects.toThrow(
        /permission/i,
      );
    }
    for (const other of others(service))
      await expect(jsm.streams.getMessage(streamOf(namespace, other), { seq: 1 })).rejects.toThrow(/permission/i);
    const subjects = services.map((producer) => subjectOf(namespace, producer));
    expect(await refusals(service, (connection) => subjects.map((subject) => connection.subscribe(subject)))).toEqual(subjects);
  });

  test('when it listens to the replies of another, then it is refused', async () => {
    const inboxes = [...others(service), 'gateway', 'platform'].map((user) => `${inboxPrefixOf(user)}.>`);
    expect(await refusals(service, (connection) => inboxes.map((inbox) => connection.subscribe(inbox)))).toEqual(inboxes);
  });

  test('when it deletes the stream of another, changes or purges its own, or takes the place of another consumer, then it is refused', async () => {
    const own = streamOf(namespace, service);
    const subjects = [
      `$JS.API.STREAM.UPDATE.${own}`,
      `$JS.API.STREAM.PURGE.${own}`,
      `$JS.API.STREAM.MSG.DELETE.${own}`,
      `$JS.API.DIRECT.GET.${own}`,
    ].concat(
      others(service).flatMap((other) => [
        `$JS.API.STREAM.DELETE.${streamOf(namespace, other)}`,
        `$JS.API.STREAM.UPDATE.${streamOf(namespace, other)}`,
        `$JS.API.CONSUMER.MSG.NEXT.${own}.${other}`,
        `$JS.ACK.${own}.${other}.1.1.1.1.1`,
      ]),
    );
    expect(await refusals(service, (connection) => subjects.map((subject) => connection.publish(subject)))).toEqual(subjects);
  });
});

describe('the NATS user of the gateway', () => {
  test('when it listens to identity, then it hears its events', async () => {
    const { connection } = await brokerOf('gateway');
    const heard = connection.subscribe(subjectOf(namespace, 'identity'), { max: 1 });
    await connection.flush();
    const { js } = await brokerOf('identity');
    await js.publish(subjectOf(namespace, 'identity', 'UserChanged'));
    for await (const message of heard) expect(message.subject).toBe(subjectOf(namespace, 'identity', 'UserChanged'));
  });

  test('when it listens to others or publishes anything, then it is refused', async () => {
    const subjects = [...others('identity').map((service) => subjectOf(namespace, service)), '>'];
    expect(await refusals('gateway', (connection) => subjects.map((subject) => connection.subscribe(subject)))).toHaveLength(
      subjects.length,
    );
    const published = [...services.map((service) => subjectOf(namespace, service, 'Something')), '$JS.API.INFO', 'anything'];
    expect(await refusals('gateway', (connection) => published.map((subject) => connection.publish(subject)))).toHaveLength(
      published.length,
    );
  });
});

test('when somebody connects without a password, then it is refused', async () => {
  await expect(connect({ servers: url, reconnect: false })).rejects.toThrow(/authorization/i);
  await expect(connect({ servers: url, user: 'identity', pass: 'guess', reconnect: false })).rejects.toThrow(/authorization/i);
});
