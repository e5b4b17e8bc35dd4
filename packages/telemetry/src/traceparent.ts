/** Where in a trace something happens: W3C Trace Context. */
export interface TraceContext {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  /** Whether somebody before has decided that it is recorded. */
  sampled: boolean;
}

// Version 00 only; ids of nothing but zeros are invalid.
const pattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Reads a `traceparent`; undefined for what is none. */
export const parseTraceparent = (text: string): TraceContext | undefined => {
  const [, traceId = '', spanId = '', flags = ''] = pattern.exec(text) ?? [];
  return traceId ? { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 } : undefined;
};

/** A `traceparent` as it is sent. */
export const traceparentOf = ({ traceId, spanId, sampled }: TraceContext): string => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
