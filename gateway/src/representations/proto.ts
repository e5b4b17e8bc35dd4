import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** A time as the API writes it, RFC 3339 in UTC with milliseconds; null for one that has not come. */
export const timeOrNull = (timestamp: Timestamp | undefined): string | null =>
  timestamp ? new Date(Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000)).toISOString() : null;

/** A time that a service always sends. */
export const timeOf = (timestamp: Timestamp | undefined): string => {
  const time = timeOrNull(timestamp);
  if (time === null) throw new Error('A service has left out a time');
  return time;
};

/** Null for the empty text that stands for nothing in protobuf. */
export const orNull = (text: string): string | null => text || null;

/** A JSON object out of its text; empty text is an empty object. */
export const objectOf = (json: string): Record<string, unknown> => (json ? (JSON.parse(json) as Record<string, unknown>) : {});
