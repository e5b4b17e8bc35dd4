import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseTraceparent } from '@accessops/telemetry';
import { v7 } from 'uuid';
import type { ClientAddress } from './front-door/client-address.ts';
import type { SecurityHeaders } from './front-door/security-headers.ts';

/** One request and what becomes known of it on the way; the log line is made of this. */
export interface Exchange {
  /** X-Request-Id: the caller's, or a new one. */
  requestId: string;
  /** 32 hex digits. */
  traceId: string;
  /** W3C Trace Context, handed on. */
  traceparent: string;
  /** Whether the caller has sent it. */
  isTraceGiven: boolean;
  method: string;
  /** Path without the query. */
  path: string;
  /** With its question mark taken off; empty without one. */
  search: string;
  /** Where the call comes from. */
  address: string;
  /** What the answer carries whatever becomes of the call: more may be added on the way. */
  headers: Record<string, string>;
  startedAt: number;
  actor: string;
  tenant: string;
  decisionId: string;
  policyVersion: string;
  /** `ok`, or the code of the error. */
  outcome: string;
}

const requestIdPattern = /^[A-Za-z0-9._:-]{1,128}$/;

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

export interface ExchangeOptions {
  addressOf: ClientAddress;
  /** Of every answer. */
  headers: SecurityHeaders;
}

/** Begins to deal with a request; cheap, since every request pays for it. */
export type BeginExchange = (incoming: IncomingMessage) => Exchange;

/** What begins exchanges behind one front door. */
export const createExchanges =
  ({ addressOf, headers: common }: ExchangeOptions): BeginExchange =>
  (incoming) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const fresh = newRequestId();
    const asked = headers['x-request-id'];
    const parent = headers.traceparent;
    const given = typeof parent === 'string' ? parseTraceparent(parent)?.traceId : undefined;
    const traceId = given ?? fresh.replaceAll('-', '');
    const query = url.indexOf('?');
    const requestId = typeof asked === 'string' && requestIdPattern.test(asked) ? asked : fresh;
    return {
      requestId,
      traceId,
      isTraceGiven: given !== undefined,
      traceparent: given ? (parent as string) : `00-${traceId}-${traceId.slice(16)}-00`,
      method,
      path: query < 0 ? url : url.slice(0, query),
      search: query < 0 ? '' : url.slice(query + 1),
      address: addressOf(incoming),
      headers: { 'cache-control': 'no-store', 'x-request-id': requestId, ...common },
      startedAt: performance.now(),
      actor: '',
      tenant: '',
      decisionId: '',
      policyVersion: '',
      outcome: 'ok',
    };
  };
