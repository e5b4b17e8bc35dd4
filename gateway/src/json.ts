import type { IncomingMessage } from 'node:http';
import { AppError, type FieldViolation, pointerTo } from '@accessops/errors';

const maxBytes = 1024 * 1024;
const maxDepth = 32;

// RFC 9110 media type with optional parameters; the only charset JSON knows is UTF-8 (RFC 8259).
const jsonType = /^application\/json *(?:; *charset *= *"?utf-8"? *)?$/i;

const checkType = ({ headers }: IncomingMessage): void => {
  if (!jsonType.test(headers['content-type'] ?? '')) throw new AppError('NOT_JSON');
  if (headers['content-encoding'] && headers['content-encoding'] !== 'identity')
    throw new AppError('NOT_JSON', 'The body must not be compressed');
};

/** All bytes of a body; stops reading where it gets larger than 1 MiB, whatever its length was said to be. Errors: BODY_TOO_LARGE, MALFORMED_JSON. */
export const readBytes = (incoming: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return reject(new AppError('BODY_TOO_LARGE'));
    const tooEarly = () => reject(new AppError('MALFORMED_JSON', 'The body ended too early'));
    // Nothing tells of the end of a stream that is over already.
    if (incoming.destroyed) return tooEarly();
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = () => {
      incoming.off('data', take);
      incoming.off('end', end);
      incoming.off('error', fail);
      incoming.off('close', fail);
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) return chunks.push(chunk);
      stop();
      incoming.pause();
      return reject(new AppError('BODY_TOO_LARGE'));
    };
    const end = () => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    };
    const fail = () => {
      stop();
      tooEarly();
    };
    return incoming.on('data', take).on('end', end).on('error', fail).on('close', fail);
  });

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const parse = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  } catch (cause) {
    throw new AppError('MALFORMED_JSON', undefined, { cause });
  }
};

/** One member of a JSON pointer (RFC 6901); a name that nobody would give is cut off, so that an answer does not repeat it. */
export const pointerMember = (name: string | number): string => {
  const text = String(name);
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return pointerTo([short.toWellFormed()]);
};

/** How many wrong fields an answer names. */
export const maxViolations = 20;

const reserved = new Set(['__proto__', 'constructor', 'prototype']);

const wrongWithText = (text: string): string | undefined => {
  if (text.includes('\0')) return 'must not hold a NUL character';
  return text.isWellFormed() ? undefined : 'must not hold half of a surrogate pair';
};

/**
 * Refuses what well-formed JSON can hold and nothing behind can: NUL characters, lone surrogates, numbers beyond
 * doubles and names of Object.prototype (INVALID_FIELDS, naming each), and more than 32 levels (MALFORMED_JSON).
 */
export const checkJson = (root: unknown): void => {
  const violations: FieldViolation[] = [];
  const visit = (value: unknown, pointer: string, depth: number): void => {
    if (typeof value === 'string') {
      const message = wrongWithText(value);
      if (message) violations.push({ pointer, message });
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) violations.push({ pointer, message: 'is too large a number' });
    } else if (value !== null && typeof value === 'object') {
      if (depth === maxDepth) throw new AppError('MALFORMED_JSON', `The body is nested more than ${maxDepth} levels deep at ${pointer}`);
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) visit(item, pointer + pointerMember(index), depth + 1);
        return;
      }
      for (const [name, member] of Object.entries(value)) {
        const message = reserved.has(name) ? 'is a reserved name' : wrongWithText(name);
        if (message) violations.push({ pointer: pointer + pointerMember(name), message });
        else visit(member, pointer + pointerMember(name), depth + 1);
      }
    }
  };
  visit(root, '', 0);
  if (violations.length > 0) throw new AppError('INVALID_FIELDS', undefined, { fields: violations.slice(0, maxViolations) });
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/**
 * The JSON body of a request. `optional`: a body that is not there counts as `{}`.
 * Errors: NOT_JSON, BODY_TOO_LARGE, MALFORMED_JSON, INVALID_FIELDS.
 */
export const readJson = async (incoming: IncomingMessage, optional = false): Promise<unknown> => {
  if (optional && !hasBody(incoming)) return {};
  checkType(incoming);
  const bytes = await readBytes(incoming);
  if (optional && bytes.length === 0) return {};
  const body = parse(bytes);
  checkJson(body);
  return body;
};
