import { PassThrough } from 'node:stream';
import { createLogger } from '@accessops/telemetry';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { connectBroker } from '../src/index.ts';
import { createOwnNats, type OwnNats } from './own-nats.ts';
import { type Suite, startSuite } from './suite.ts';

// What was on its way to a listener as a server ended is handed to it again after 30 s.
vi.setConfig({ testTimeout: 150_000 });

let nats: OwnNats;
let suite: Suite;
beforeAll(async () => {
  nats = await createOwnNats();
});
afterAll(() => nats.close());
beforeEach(async () => {
  suite = await startSuite({ url: nats.url, user: 'test', password: 'test' });
  return async () => {
    await nats.start().catch(() => undefined);
    await suite.close();
    await nats.stop();
    nats.wipe();
  };
});

const names = Array.from({ length: 60 }, (_, index) => `r-${index}`);
const tellAll = async (of = names) => {
  for (const name of of) await suite.tell(name, 'ACTIVE');
};
const handled = async (length: number) => (await suite.effects(length)).map(({ aggregate }) => aggregate);

describe('NATS that is away', () => {
  test('when it is not there at the start, then changes are made all the same and are told when it comes', async () => {
    const starting = Promise.all([suite.startRelay(), suite.listen()]);
    await tellAll();
    await nats.start();
    await starting;
    expect(await handled(60)).toEqual(names);
  });

  test('when it goes and comes back with its store, then everything arrives once and in order', async () => {
    await nats.start();
    await suite.startRelay();
    await suite.listen();
    await tellAll(names.slice(0, 20));
    await handled(20);
    await nats.stop();
    await tellAll(names.slice(20, 40));
    await nats.start();
    await handled(40);
    await tellAll(names.slice(40));
    expect(await handled(60)).toEqual(names);
  });

  test('when it goes while many are told, then nothing is lost and nothing happens twice', async () => {
    await nats.start();
    await suite.startRelay();
    await suite.listen();
    const telling = tellAll();
    await suite.effects(5);
    await nats.stop();
    await telling;
    await nats.start();
    expect((await handled(60)).toSorted()).toEqual(names.toSorted());
    await suite.tell('last', 'ACTIVE');
    expect(await handled(61)).toHaveLength(61);
  });
});

describe('NATS that stands still', () => {
  test('when it answers again after longer than it is waited for, then the relay that leads has gone on leading, and all arrives once', async () => {
    await nats.start();
    const warned: string[] = [];
    const log = createLogger(
      'test',
      'warn',
      new PassThrough().on('data', (line) => warned.push(String(line))),
    );
    const relay = await suite.startRelay({ broker: await suite.connect({ timeoutMs: 500 }), log });
    await suite.listen();
    await tellAll(names.slice(0, 10));
    await handled(10);
    await until(() => relay.isLeader(), { what: 'a leader' });
    nats.freeze();
    await tellAll(names.slice(10));
    await until(() => warned.some((line) => line.includes('NATS does not take events')), { what: 'no answer' });
    expect(relay.isLeader()).toBe(true);
    nats.thaw();
    expect((await handled(60)).toSorted()).toEqual(names.toSorted());
    await suite.tell('last', 'ACTIVE');
    expect(await handled(61)).toHaveLength(61);
    expect(warned.filter((line) => line.includes('relay'))).toEqual([]);
  });
});

describe('a store that is wiped', () => {
  const wipe = async () => {
    await nats.stop();
    nats.wipe();
    await nats.start();
  };

  test('when nobody has listened yet, then everything that was told arrives by itself', async () => {
    await nats.start();
    await suite.startRelay();
    await tellAll();
    await until(async () => (await suite.streamed()).length === 60);
    await wipe();
    await suite.listen();
    expect(await handled(60)).toEqual(names);
  });

  test('when half of it was handled before, then the rest arrives and nothing happens twice', async () => {
    await nats.start();
    await suite.startRelay();
    const first = await suite.listen();
    await tellAll(names.slice(0, 30));
    await handled(30);
    await first.close();
    await tellAll(names.slice(30));
    await until(async () => (await suite.streamed()).length === 60);
    await wipe();
    await suite.listen();
    expect(await handled(60)).toEqual(names);
    await suite.tell('last', 'ACTIVE');
    expect((await handled(61)).at(-1)).toBe('last');
    expect(await handled(61)).toHaveLength(61);
  });

  test('when it happens under a listener and a relay that run, then they find each other again', async () => {
    await nats.start();
    await suite.startRelay();
    await suite.listen();
    await tellAll(names.slice(0, 10));
    await handled(10);
    await wipe();
    await tellAll(names.slice(10));
    expect((await handled(60)).toSorted()).toEqual(names.toSorted());
  });
});

test('when a broker is asked whether it is up, then it says so', async () => {
  await nats.start();
  const broker = await connectBroker({ url: nats.url, user: 'test', password: 'test' });
  onTestFinished(() => broker.close());
  expect(broker.isUp()).toBe(true);
  await nats.stop();
  await until(() => !broker.isUp());
  await nats.start();
  await until(() => broker.isUp());
  await broker.close();
  expect(broker.isUp()).toBe(false);
});
