import { AppError, isCode } from '@accessops/errors';
import { BadRequestSchema, ErrorInfoSchema } from '@accessops/proto/google/rpc/error_details_pb';
import { StatusSchema } from '@accessops/proto/google/rpc/status_pb';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** Trailing metadata with the google.rpc.Status of what went wrong. */
export const statusTrailer = 'grpc-status-details-bin';
const domain = 'accessops';

/** An AppError as gRPC status with google.rpc.ErrorInfo (code, extra members) and BadRequest (fields) in the trailer. */
export const toStatus = (error: AppError): { code: number; details: string; metadata: Metadata } => {
  const info = create(ErrorInfoSchema, {
    reason: error.code,
    domain,
    metadata: Object.fromEntries(Object.entries(error.members).map(([name, value]) => [name, JSON.stringify(value)])),
  });
  const violations = create(BadRequestSchema, {
    fieldViolations: error.fields.map(({ pointer, message }) => ({ field: pointer, description: message })),
  });
  const details = create(StatusSchema, {
    code: error.grpcStatus,
    message: error.message,
    details: [anyPack(ErrorInfoSchema, info), ...(error.fields.length > 0 ? [anyPack(BadRequestSchema, violations)] : [])],
  });
  const metadata = new Metadata();
  metadata.set(statusTrailer, Buffer.from(toBinary(StatusSchema, details)));
  return { code: error.grpcStatus, details: encodeURIComponent(error.message.toWellFormed()).slice(0, 1000), metadata };
};

const unreachable = new Set<number>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED, status.RESOURCE_EXHAUSTED]);

/** The AppError that a failed call stands for. Calls that never got an answer are DEPENDENCY_UNAVAILABLE, anything unknown INTERNAL_ERROR. */
export const fromServiceError = (error: ServiceError): AppError => {
  const [raw] = error.metadata?.get(statusTrailer) ?? [];
  if (raw instanceof Buffer) {
    const parsed = fromBinary(StatusSchema, raw);
    const info = parsed.details.map((any) => anyUnpack(any, ErrorInfoSchema)).find(Boolean);
    const bad = parsed.details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
    if (info?.domain === domain && isCode(info.reason)) {
      return new AppError(info.reason, parsed.message, {
        fields: (bad?.fieldViolations ?? []).map(({ field, description }) => ({ pointer: field, message: description })),
        members: Object.fromEntries(Object.entries(info.metadata).map(([name, value]) => [name, JSON.parse(value) as unknown])),
        cause: error,
      });
    }
  }
  return new AppError(unreachable.has(error.code) ? 'DEPENDENCY_UNAVAILABLE' : 'INTERNAL_ERROR', undefined, { cause: error });
};
