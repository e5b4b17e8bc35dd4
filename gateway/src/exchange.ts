import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { v7 } from 'uuid';

/** One request and what becomes known of it on the way; the log line is made of this. */
export interface Exchange {
  /** X-Request-Id: the caller's, or a new one. */
  requestId: string;
  /** 32 hex digits. */
  traceId: string;
  /** W3C Trace Context, handed on. */
  traceparent: string;
  method: string;
  /** Path without the query. */
  path: string;
  /** With its question mark taken off; empty without one. */
  search: string;
  startedAt: number;
  actor: string;
  tenant: string;
  decisionId: string;
  /** `ok`, or the code of the error. */
  outcome: string;
}

const requestIdPattern = /^[A-Za-z0-9._:-]{1,128}$/;
// Version 00 only; ids of nothing but zeros are invalid.
const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const pool = new Uint8Array(16 * 256);
let used = pool.length;

/** A new UUIDv7. Randomness is fetched for many at once: fetched for one it costs ten times as much as the rest. */
const newRequestId = (): string => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return v7({ random: pool.subarray(used - 16, used) });
};

/** Begins to deal with a request; cheap, since every request pays for it. */
export const beginExchange = ({ method = 'GET', url = '/', headers }: IncomingMessage): Exchange => {
  const fresh = newRequestId();
  const asked = headers['x-request-id'];
  const parent = headers.traceparent;
  const given = typeof parent === 'string' ? traceparentPattern.exec(parent)?.[1] : undefined;
  const traceId = given ?? fresh.replaceAll('-', '');
  const query = url.indexOf('?');
  return {
    requestId: typeof asked === 'string' && requestIdPattern.test(asked) ? asked : fresh,
    traceId,
    traceparent: given ? (parent as string) : `00-${traceId}-${traceId.slice(16)}-00`,
    method,
    path: query < 0 ? url : url.slice(0, query),
    search: query < 0 ? '' : url.slice(query + 1),
    startedAt: performance.now(),
    actor: '',
    tenant: '',
    decisionId: '',
    outcome: 'ok',
  };
};
