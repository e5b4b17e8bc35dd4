import { AppError } from '@accessops/errors';
import { faultOf, type Span, type SpanKind, type Tracer } from '@accessops/telemetry';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

/** The `traceparent` of a call; empty without one. */
export const traceparentIn = (metadata: Metadata): string => {
  const [value] = metadata.get('traceparent');
  return typeof value === 'string' ? value : '';
};

/** A span of a call, within the trace that its metadata names; undefined when that is not recorded. */
const spanOfCall = (tracer: Tracer, kind: SpanKind, method: DescMethod, metadata: Metadata): Span | undefined => {
  const { typeName } = method.parent;
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': typeName, 'rpc.method': method.name };
  return tracer.follow(traceparentIn(metadata), `${typeName}/${method.name}`, { kind, attributes });
};

/** A call that goes out: what goes with it, and its span. */
export const traceSent = (tracer: Tracer, method: DescMethod, metadata: Metadata): { span: Span | undefined; metadata: Metadata } => {
  const span = spanOfCall(tracer, 'client', method, metadata);
  if (!span) return { span, metadata };
  // One call after the other may be made with the same metadata.
  const own = metadata.clone();
  own.set('traceparent', span.traceparent);
  return { span, metadata: own };
};

/** A call that has come: whatever its handler does follows from it. */
export const traceArrived = (tracer: Tracer, method: DescMethod, metadata: Metadata): Span | undefined => {
  const span = spanOfCall(tracer, 'server', method, metadata);
  if (span) metadata.set('traceparent', span.traceparent);
  return span;
};

const ours = new Set<string>(['internal', 'unavailable']);

/** Ends the span of a call that was answered with an error: a refusal is told, but is no fault of the server. */
export const endRefused = (span: Span, error: AppError): void => {
  span.add({ 'accessops.code': error.code });
  span.end(ours.has(error.kind) ? error.code : undefined);
};

/** Ends the span of a call that has failed. */
export const endFailed = (span: Span, error: unknown): void => {
  if (error instanceof AppError) endRefused(span, error);
  else span.end(faultOf(error));
};
