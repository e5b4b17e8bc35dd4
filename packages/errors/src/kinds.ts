import { status } from '@grpc/grpc-js';

/** What sort of failure an error is: its gRPC status, its HTTP status and its RFC 9457 title. The gateway reads this table backwards. */
export const kinds = {
  malformed: { grpc: status.INVALID_ARGUMENT, http: 400, title: 'Malformed request' },
  unauthenticated: { grpc: status.UNAUTHENTICATED, http: 401, title: 'Not authenticated' },
  denied: { grpc: status.PERMISSION_DENIED, http: 403, title: 'Not allowed' },
  notFound: { grpc: status.NOT_FOUND, http: 404, title: 'Not found' },
  methodNotAllowed: { grpc: status.UNIMPLEMENTED, http: 405, title: 'Method not allowed' },
  timeout: { grpc: status.DEADLINE_EXCEEDED, http: 408, title: 'Request timeout' },
  wrongState: { grpc: status.FAILED_PRECONDITION, http: 409, title: 'Not possible now' },
  conflict: { grpc: status.ABORTED, http: 409, title: 'In conflict with something else' },
  gone: { grpc: status.FAILED_PRECONDITION, http: 410, title: 'Gone' },
  stale: { grpc: status.FAILED_PRECONDITION, http: 412, title: 'Changed in the meantime' },
  tooLarge: { grpc: status.RESOURCE_EXHAUSTED, http: 413, title: 'Too large' },
  unsupportedType: { grpc: status.INVALID_ARGUMENT, http: 415, title: 'Unsupported media type' },
  invalid: { grpc: status.INVALID_ARGUMENT, http: 422, title: 'Invalid fields' },
  tooMany: { grpc: status.RESOURCE_EXHAUSTED, http: 429, title: 'Too many requests' },
  headersTooLarge: { grpc: status.RESOURCE_EXHAUSTED, http: 431, title: 'Headers too large' },
  internal: { grpc: status.INTERNAL, http: 500, title: 'Internal error' },
  unavailable: { grpc: status.UNAVAILABLE, http: 503, title: 'Temporarily unavailable' },
} as const;

export type Kind = keyof typeof kinds;
