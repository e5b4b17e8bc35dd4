import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, login, must } from '../client.ts';
import { documentedRoutes, type Schema } from './document.ts';

const demoPassword = 'accessops-demo-2026';

let token: string;
let server: Server;
let port: number;
/** What has come to where nothing may. */
const heard: string[] = [];

beforeAll(async () => {
  const session = await login('admin@acme.test', demoPassword, 'org-admin');
  token = String(session.body.accessToken);
  server = createServer((request, response) => {
    heard.push(`${request.method} ${request.headers.host}`);
    response.end('{}');
  });
  // Both kinds of addresses where the machine has both.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const looksLikeAddress = (name: string, schema: Schema) => schema.format === 'uri' || /ur[il]$|host|endpoint/i.test(name);

const addressesIn = (schema: Schema | undefined, at = ''): string[] =>
  Object.entries(schema?.properties ?? {}).flatMap(([name, property]) => [
    ...(looksLikeAddress(name, property) ? [`${at}/${name}`] : []),
    ...addressesIn(property, `${at}/${name}`),
    ...addressesIn(property.items, `${at}/${name}/0`),
  ]);

test('when an address can be named to the platform, then it is one that is tried here', async () => {
  const inBodies = (await documentedRoutes()).flatMap(({ method, path, schema }) =>
    addressesIn(schema).map((pointer) => `${method} ${path} ${pointer}`),
  );
  expect(inBodies).toEqual([]);
  const { items: connectors = [] } = await must(200, 'GET', '/org/connectors', { token });
  const inConnectors = connectors.flatMap(({ name, configSchema }) =>
    addressesIn(configSchema as Schema).map((pointer) => `${String(name)} ${pointer}`),
  );
  expect(inConnectors).toEqual(['webhook /url']);
});

test.each([
  'http://127.0.0.1',
  'https://127.0.0.1',
  'http://localhost',
  'http://LOCALHOST',
  'http://127.1',
  'http://127.255.255.254',
  'http://2130706433',
  'http://0x7f000001',
  'http://0x7f.0x0.0x0.0x1',
  'http://0177.0.0.1',
  'http://017700000001',
  'http://①②⑦.⓪.⓪.①',
  'http://%31%32%37.0.0.1',
  'http://0',
  'http://0.0.0.0',
  'http://[::1]',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:7f00:1]',
  'http://[::127.0.0.1]',
  'http://[0:0:0:0:0:0:0:1]',
  'http://[64:ff9b::7f00:1]',
  'http://[2002:7f00:1::]',
  'http://169.254.169.254',
  'http://[::ffff:a9fe:a9fe]',
  'http://[fd00:ec2::254]',
  'http://[fe80::1]',
  'http://10.0.0.1',
  'http://172.16.0.1',
  'http://192.168.0.1',
  'http://100.64.0.1',
  'http://224.0.0.1',
  'http://255.255.255.255',
  'http://example.com@127.0.0.1',
  'http://127.0.0.1#@example.com',
  'http://127.0.0.1\\@example.com',
  'ftp://127.0.0.1',
  'file:///etc/passwd',
  'gopher://127.0.0.1',
  'data:text/plain,x',
  'unix:/var/run/docker.sock',
])('when %s is to be called, then it is refused, and nothing comes there', async (address) => {
  const url = /^https?:/.test(address) && !/[@#\\]/.test(address) ? `${address}:${port}/latest/meta-data` : address;
  const before = heard.length;
  const answer = await call('POST', '/org/connectors/check', {
    token,
    body: { connector: 'webhook', config: { login: 'edge', url }, roles: ['reader'] },
  });
  const isRefused = answer.status === 422 || answer.text.includes('The address may not be called');
  expect(isRefused ? 'refused' : `${answer.status} ${answer.text}`).toBe('refused');
  expect(heard.slice(before)).toEqual([]);
});
