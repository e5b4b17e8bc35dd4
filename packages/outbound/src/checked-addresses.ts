import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';

/** A network in CIDR notation, parsed. */
export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** All addresses of a host name; an address stands for itself. */
export type Lookup = (hostname: string) => Promise<string[]>;

/** An address that nobody outside may have us call. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** Parses a network like 10.0.0.0/8; throws an Error that names it. */
export const parseNetwork = (text: string): Network => {
  try {
    return ipaddr.parseCIDR(text);
  } catch {
    throw new Error(`${text} is no network like 10.0.0.0/8`);
  }
};

export const systemLookup: Lookup = async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address);

// All that is given out of IPv6 for the public Internet; what translates or tunnels to IPv4 in there has a range of its own.
const globalIpv6 = ipaddr.parseCIDR('2000::/3');

const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalIpv6));

const isWithin = (address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match([network, bits] as [ipaddr.IPv6, number]);

/** Whether an address is public, or within one of the networks that are allowed besides; an IPv4 address in an IPv6 one counts as itself. */
export const isAllowed = (text: string, networks: readonly Network[]): boolean => {
  const address = ipaddr.process(text);
  return isPublic(address) || networks.some((network) => isWithin(address, network));
};

/**
 * The addresses of a host, looked up once: whoever connects has to connect to one of these, or the name may mean something else
 * by then (DNS rebinding). Throws a ForbiddenAddress when one of them is neither public nor in an allowed network.
 */
export const checkedAddresses = async (
  hostname: string,
  networks: readonly Network[],
  resolve: Lookup = systemLookup,
): Promise<string[]> => {
  const addresses = await resolve(hostname.replace(/^\[(.*)\]$/, '$1'));
  if (addresses.length === 0 || !addresses.every((address) => isAllowed(address, networks))) {
    throw new ForbiddenAddress(`${hostname} has an address that may not be called`);
  }
  return addresses;
};
