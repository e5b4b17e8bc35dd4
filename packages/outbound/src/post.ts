import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { checkedAddresses, ForbiddenAddress, isAllowed, type Lookup, type Network } from './checked-addresses.ts';

export interface PostOptions {
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
  /** Networks that may be called besides the public Internet. */
  networks?: readonly Network[];
  lookup?: Lookup;
  /** How long an answer may be. */
  maxBytes?: number;
}

/** An answer; a redirect is one like any other, and is not followed. */
export interface Posted {
  status: number;
  body: string;
}

/** The request cannot have arrived: there was never a connection that it could have been sent over. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

const addressesFor = async (url: URL, { networks = [], lookup }: PostOptions): Promise<string[]> => {
  const addresses = await checkedAddresses(url.hostname, networks, lookup);
  // In the clear only where the operator says that the network is ours.
  const isOurs = addresses.every((address) => isAllowed(address, networks) && !isAllowed(address, []));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isOurs)) {
    throw new ForbiddenAddress(`${url.protocol}// may not be used for ${url.hostname}`);
  }
  return addresses;
};

/** Connects to what was checked, whatever the name means by now. */
const pinned =
  (addresses: string[]): LookupFunction =>
  (_, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    if (all) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };

const send = (url: URL, addresses: string[], { headers, body, signal, maxBytes = 65_536 }: PostOptions): Promise<Posted> =>
  new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    let sent = false;
    const fail = (error: Error) => reject(sent ? error : new NotSent(error.message, { cause: error }));
    const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal, agent: false as const };
    const request = (isSecure ? requestHttps : requestHttp)(url, { ...options, lookup: pinned(addresses) });
    request.on('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', () => (sent = true)));
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) request.destroy(new Error('The answer is too long'));
        chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
    });
    request.end(body);
  });

/**
 * Sends a body to an address that somebody else has chosen, and to no other: every address of its host is checked before, and no redirect is
 * followed. Throws a NotSent when nothing can have arrived, with a ForbiddenAddress as its cause when it must not.
 */
export const post = async (url: URL, options: PostOptions): Promise<Posted> => {
  const { signal } = options;
  const addresses = await Promise.race([
    addressesFor(url, options),
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
  ]).catch((error: unknown) => {
    throw new NotSent(error instanceof Error ? error.message : 'The host cannot be found', { cause: error });
  });
  signal.throwIfAborted();
  return send(url, addresses, options);
};
