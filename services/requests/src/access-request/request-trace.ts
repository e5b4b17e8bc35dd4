import type { CallFunction } from '@accessops/db';
import type { Call } from '@accessops/service';
import { parseTraceparent } from '@accessops/telemetry';

/** Where in a trace a call is, when that is recorded: kept with the request that it files. */
export const recordedTrace = ({ tracer, origin: { traceparent } }: Pick<Call, 'tracer' | 'origin'>): string | null =>
  tracer && parseTraceparent(traceparent)?.sampled ? traceparent : null;

/** Where in a trace a request was filed, for another service that goes on there; empty when nobody asks for traces. */
export const traceOf = async ({ tracer, principal, tenantId }: Call, database: CallFunction, requestId: string): Promise<string> => {
  if (!tracer || principal.type !== 'service') return '';
  const [row] = await database<{ read_trace: string | null }>('read_trace', [tenantId, requestId]);
  return row?.read_trace ?? '';
};
