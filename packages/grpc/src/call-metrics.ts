import { callBuckets, createDurations, type Registry, stopwatch } from '@accessops/telemetry';
import type { DescMethod } from '@bufbuild/protobuf';
import { type Metadata, status } from '@grpc/grpc-js';
import { traceparentIn } from './trace-calls.ts';

/** Is told that a call begins; answers what is to be told its status when it has ended. */
export type WatchCall = (method: DescMethod, metadata: Metadata) => (code: status) => void;

/** Measures unary calls at one of their two sides; streams take as long as somebody listens, and are left out. */
export const callMetrics = (side: 'server' | 'client', registry: Registry): WatchCall => {
  const observe = createDurations({
    name: `accessops_rpc_${side}_duration_seconds`,
    help:
      side === 'server'
        ? 'How long calls took here, by method and gRPC status.'
        : 'How long calls of others took, by method and gRPC status.',
    labelNames: ['service', 'method', 'code'],
    buckets: callBuckets,
    registry,
  });
  return ({ parent, name }, metadata) => {
    const ended = stopwatch(observe);
    return (code) => ended({ service: parent.name, method: name, code: status[code] ?? 'UNKNOWN' }, traceparentIn(metadata));
  };
};
