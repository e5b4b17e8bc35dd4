import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkedAddresses, ForbiddenAddress, isAllowed, parseNetwork } from './checked-addresses.ts';
import { NotSent, type PostOptions, post } from './post.ts';

const notPublic = [
  '127.0.0.1 127.1.2.3 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 192.0.2.1 198.18.0.1',
  '240.0.0.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 64:ff9b::7f00:1',
  '2002:7f00:1:: 2001::1 2001:db8::1 4000::1',
].flatMap((line) => line.split(' '));
const loopback = [parseNetwork('127.0.0.0/8')];
const signal = AbortSignal.timeout(10_000);

let server: Server;
let port: number;
const heard: { host?: string; path?: string }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    heard.push({ host: request.headers.host, path: request.url });
    if (request.url === '/elsewhere') response.writeHead(307, { location: 'http://169.254.169.254/' });
    response.end(request.url === '/long' ? Buffer.alloc(100_000) : 'yes');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const send = (url: string, options: Partial<PostOptions> = {}) => post(new URL(url), { headers: {}, body: '{}', signal, ...options });
const causeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'sent',
    (error: Error) => (error instanceof NotSent ? (error.cause as Error).name : error.name),
  );

test.each(notPublic)('when an address is %s, then it may not be called', (address) => {
  expect(isAllowed(address, [])).toBe(false);
});

test.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:93.184.216.34'])(
  'when an address is %s, then it may be called',
  (address) => {
    expect(isAllowed(address, [])).toBe(true);
  },
);

test.each(['http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://[::ffff:7f00:1]/', 'http://localhost/'])(
  'when a loopback address is written as %s, then nothing is sent',
  async (url) => {
    expect(await causeOf(send(url))).toBe('ForbiddenAddress');
    expect(await causeOf(send(url.replace('http:', 'https:')))).toBe('ForbiddenAddress');
  },
);

test('when one of several addresses is forbidden, then none is called', async () => {
  const resolve = async () => ['93.184.216.34', '10.0.0.1'];
  await expect(checkedAddresses('mixed.example', [], resolve)).rejects.toThrow(ForbiddenAddress);
  await expect(checkedAddresses('nothing.example', [], async () => [])).rejects.toThrow(ForbiddenAddress);
});

test('when the name means another address the second time, then it was asked once, and the first is called', async () => {
  const answers = [['127.0.0.1'], ['169.254.169.254']];
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    return answers[asked.length - 1] ?? [];
  };
  const answer = await send(`http://rebinding.example:${port}/pinned`, { networks: loopback, lookup });
  expect(answer).toEqual({ status: 200, body: 'yes' });
  expect(asked).toEqual(['rebinding.example']);
  expect(heard.at(-1)).toEqual({ host: `rebinding.example:${port}`, path: '/pinned' });
});

test('when the answer leads elsewhere, then it is not followed', async () => {
  expect((await send(`http://127.0.0.1:${port}/elsewhere`, { networks: loopback })).status).toBe(307);
});

test('when it is not in a network of ours, then it is not sent in the clear', async () => {
  const lookup = async () => ['93.184.216.34'];
  expect(await causeOf(send('http://public.example/', { lookup, networks: loopback }))).toBe('ForbiddenAddress');
  expect(await causeOf(send(`ftp://127.0.0.1:${port}/`, { networks: loopback }))).toBe('ForbiddenAddress');
});

test('when nobody listens or the name is unknown, then nothing was sent; when the answer has no end, then something was', async () => {
  await expect(send('http://127.0.0.1:1/', { networks: loopback })).rejects.toBeInstanceOf(NotSent);
  await expect(send('https://no-such-name.invalid/')).rejects.toBeInstanceOf(NotSent);
  await expect(send(`http://127.0.0.1:${port}/long`, { networks: loopback })).rejects.toThrow('too long');
});

test('when a name is not found in time, then the call ends in time', async () => {
  const lookup = () => new Promise<string[]>(() => undefined);
  await expect(send('https://slow.example/', { lookup, signal: AbortSignal.timeout(50) })).rejects.toBeInstanceOf(NotSent);
});
