import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createClientAddress, networkOf, parseRange } from './client-address.ts';

const from = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  test('when no proxy is trusted, then it is that of the socket, whatever the headers say', () => {
    const addressOf = createClientAddress([]);
    expect(addressOf(from('198.51.100.7', '203.0.113.9'))).toBe('198.51.100.7');
    expect(addressOf(from('::ffff:198.51.100.7'))).toBe('198.51.100.7');
    expect(addressOf(from('2001:db8::1'))).toBe('2001:db8::1');
  });

  test.each<[string, string | undefined, string]>([
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '192.0.2.66, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '192.0.2.66, 203.0.113.9, 10.2.3.4', '203.0.113.9'],
    ['10.0.0.1', '10.9.9.9, 10.2.3.4', '10.9.9.9'],
    ['2001:db8:1::5', '2001:db8:ffff::1', '2001:db8:ffff::1'],
    ['192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['10.0.0.1', 'nonsense', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '1234', '10.0.0.1'],
    ['10.0.0.1', '0x7f.1', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.9, <script>', '10.0.0.1'],
    ['10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['', '203.0.113.9', ''],
  ])('when %s is asked and X-Forwarded-For is %s, then it is %s', (socket, forwarded, expected) => {
    expect(createClientAddress(['10.0.0.0/8', '2001:db8:1::/48'])(from(socket, forwarded))).toBe(expected);
  });

  test('when a range is none, then it is refused', () => {
    for (const text of ['10.0.0.0/33', '10/8', '1234', 'localhost', '10.0.0/8/1', '']) expect(() => parseRange(text)).toThrow();
    expect(parseRange('127.0.0.1')[1]).toBe(32);
  });
});

test.each([
  ['198.51.100.7', '198.51.100.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['', ''],
])('when the address is %s, then its network is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
