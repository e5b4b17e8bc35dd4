import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

type Range = [IPv4 | IPv6, number];

/** Tells where a call comes from: the address of its socket, or what proxies that are trusted say. */
export type ClientAddress = (incoming: IncomingMessage) => string;

const mapped = '::ffff:';

/** An address as it is usually written; IPv4 within IPv6 counts as IPv4. */
const plain = (address: string): string => (address.startsWith(mapped) ? address.slice(mapped.length) : address);

/** Turns `10.0.0.0/8` or a single address into a range; throws an Error for what is neither. */
export const parseRange = (text: string): Range => {
  if (isIP(text.split('/', 1)[0] ?? '') === 0) throw new Error(`${text} is no address or network`);
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
};

/**
 * Reads client addresses. `X-Forwarded-For` is read from its end, for as long as the one who has added to it is a trusted proxy: what
 * stands before that may have been written by anybody.
 */
export const createClientAddress = (trustedProxies: readonly string[]): ClientAddress => {
  const socketAddress: ClientAddress = ({ socket }) => plain(socket?.remoteAddress ?? '');
  if (trustedProxies.length === 0) return socketAddress;

  const ranges = trustedProxies.map(parseRange);
  const isTrusted = (text: string): boolean => {
    if (isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return ranges.some((range) => address.kind() === range[0].kind() && address.match(range));
  };
  return (incoming) => {
    let address = socketAddress(incoming);
    const forwarded = incoming.headers['x-forwarded-for'];
    if (forwarded === undefined) return address;
    const hops = String(forwarded).split(',');
    for (let hop = hops.pop()?.trim(); hop !== undefined && isTrusted(address); hop = hops.pop()?.trim()) {
      if (isIP(hop) === 0) break;
      address = plain(hop);
    }
    return address;
  };
};

/** What stands for one customer of a network: an IPv4 address, or the /64 of an IPv6 address, within which everybody may choose freely. */
export const networkOf = (address: string): string => {
  if (!address.includes(':') || isIP(address) === 0) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6'
    ? `${(parsed as IPv6).parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}::/64`
    : parsed.toString();
};
