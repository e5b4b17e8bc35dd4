import { parseTraceparent, type Span, type Tracer } from '@accessops/telemetry';
import type { Exchange } from './exchange.ts';

/** Begins the span of a request: in the caller's trace, or as the first of a new one. What is handed on follows from it. */
export const traceExchange = (tracer: Tracer | undefined, exchange: Exchange, route: string): Span | undefined => {
  if (!tracer) return undefined;
  const { method, isTraceGiven, traceparent } = exchange;
  const attributes = { 'http.request.method': method, 'http.route': route, 'accessops.request.id': exchange.requestId };
  const span = tracer.begin(`${method} ${route}`, isTraceGiven ? traceparent : undefined, { kind: 'server', attributes });
  if (!span) return undefined;
  exchange.traceparent = span.traceparent;
  exchange.traceId = parseTraceparent(span.traceparent)?.traceId ?? exchange.traceId;
  return span;
};

/** Ends it with the answer; only what is our fault counts as one. */
export const endExchange = (span: Span, { tenant, outcome }: Exchange, status: number): void => {
  span.add({ 'http.response.status_code': status, 'accessops.tenant.id': tenant, 'accessops.code': outcome });
  span.end(status >= 500 ? outcome : undefined);
};
