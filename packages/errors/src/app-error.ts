import { type Code, codes } from './codes.ts';
import { type Kind, kinds } from './kinds.ts';

/** One wrong field: a JSON pointer (RFC 6901) and what is wrong with it. */
export interface FieldViolation {
  pointer: string;
  message: string;
}

export interface AppErrorOptions {
  fields?: FieldViolation[];
  /** Extra members of the problem document; JSON values. */
  members?: Record<string, unknown>;
  /** For the log only. */
  cause?: unknown;
}

/** An error that callers may see: `code` and `message` are public, `cause` never leaves the process. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: Code;
  readonly fields: FieldViolation[];
  readonly members: Record<string, unknown>;

  constructor(code: Code, message: string = codes[code].meaning, { fields = [], members = {}, cause }: AppErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
    this.members = members;
  }

  get kind(): Kind {
    return codes[this.code].kind;
  }

  get httpStatus(): number {
    return kinds[this.kind].http;
  }

  get grpcStatus(): number {
    return kinds[this.kind].grpc;
  }
}

/** A 422 that names one field. `pointer` is a JSON pointer: `/duration`. */
export const invalidField = (pointer: string, message: string): AppError =>
  new AppError('INVALID_FIELDS', message, { fields: [{ pointer, message }] });

/**
 * A 401 that asks for better authentication (RFC 9470). `acrValues` is what would do, `maxAge` how many seconds ago it may have been.
 */
export const insufficientAuthentication = (acrValues: string, maxAge?: number): AppError =>
  new AppError('INSUFFICIENT_AUTHENTICATION', undefined, { members: { acrValues, ...(maxAge !== undefined && { maxAge }) } });

/** The same to somebody who has no second factor to prove yet. */
export const enrolmentRequired = (acrValues: string): AppError =>
  new AppError('MFA_ENROLMENT_REQUIRED', undefined, { members: { acrValues } });

/** Whether a string is a code of the table. */
export const isCode = (value: string): value is Code => Object.hasOwn(codes, value);
