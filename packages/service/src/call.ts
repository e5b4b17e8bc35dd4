import type { Principal, VerifyPrincipal } from '@accessops/authn';
import type { Attribute, Authorizer, Decision } from '@accessops/authz';
import { findReply, type IdempotencyKey, keepReply, noTenant, type Scope, transaction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { type Event, type Outbox, unitOfWork, type WriteContext } from '@accessops/events';
import { type CallContext, Metadata } from '@accessops/grpc';
import type { Logger, Tracer } from '@accessops/telemetry';
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type EntityManager, OptimisticLockError } from '@mikro-orm/postgresql';
import { type Precondition, preconditionOf } from './precondition.ts';

/** What a use case works with: its transaction, who calls, and the time. */
export interface Ctx extends WriteContext {
  principal: Principal;
  log: Logger;
  /** Asks policy about a concrete thing; throws PERMISSION_DENIED. */
  authorize(kind: string, action: string, attributes: Record<string, Attribute>): Promise<Decision>;
  /** To be called with the version of whatever is changed or deleted, once it is locked; throws PRECONDITION_FAILED. See `Precondition`. */
  expectVersion: Precondition['expectVersion'];
}

/** One call from outside, before any transaction. */
export interface Call {
  principal: Principal;
  /** The caller's tenant; the nil UUID for somebody of none. */
  tenantId: string;
  /** The caller, as events name them. */
  actor: WriteContext['actor'];
  origin: Event['origin'];
  /** Whether there is an Idempotency-Key: then only `writeOnce` will do. */
  onceOnly: boolean;
  log: Logger;
  /** Undefined: nothing is traced. */
  tracer: Tracer | undefined;
  /** Aborted when the caller goes away. */
  signal: AbortSignal;
  now(): Date;
  authorize: Ctx['authorize'];
  /** Runs `work` in a transaction that sees the caller's tenant, or the scope named; what it emits is sent after the commit. */
  write<T>(work: (ctx: Ctx) => Promise<T>, scope?: Scope): Promise<T>;
  /** The same, at most once per Idempotency-Key: `work` answers the reply of the RPC, a repeated call gets the one that was kept. */
  writeOnce<D extends DescMessage>(work: (ctx: Ctx) => Promise<MessageInitShape<D>>, scope?: Scope): Promise<MessageInitShape<D>>;
  /**
   * What `work` answers; when it is refused, the reply that is kept under the Idempotency-Key, if there is one. For a call that looks before
   * it writes: what it needs may have been used up by itself.
   */
  orKept<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` in a transaction for reading. */
  read<T>(work: (ctx: Ctx) => Promise<T>, scope?: Scope): Promise<T>;
}

export interface CallParts {
  verify: VerifyPrincipal;
  authorizer: Authorizer;
  outbox: Outbox;
  log: Logger;
  now: () => Date;
  tracer: Tracer | undefined;
}

const text = (metadata: Metadata, name: string): string => {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : '';
};

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return '';
  }
};

const originOf = (metadata: Metadata): Event['origin'] => ({
  requestId: text(metadata, 'x-request-id'),
  ip: text(metadata, 'x-client-ip'),
  userAgent: decoded(text(metadata, 'x-user-agent')),
  traceparent: text(metadata, 'traceparent'),
});

/** What a service sends with a call of its own, because of the one in `origin`: the other side of what `originOf` reads. */
export const metadataFrom = (token: string, origin: Event['origin']): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  metadata.set('x-request-id', origin.requestId);
  metadata.set('x-client-ip', origin.ip);
  metadata.set('x-user-agent', encodeURIComponent(origin.userAgent));
  if (origin.traceparent) metadata.set('traceparent', origin.traceparent);
  return metadata;
};

const keyOf = (metadata: Metadata): IdempotencyKey | undefined => {
  const key = decoded(text(metadata, 'idempotency-key'));
  return key ? { key, fingerprint: text(metadata, 'idempotency-fingerprint') } : undefined;
};

/** Turns a gRPC call into a `Call`; refuses one without a good principal token (INVALID_TOKEN). */
export const callFrom =
  ({ verify, authorizer, outbox, log, now, tracer }: CallParts) =>
  async (context: CallContext): Promise<Call> => {
    const { metadata, trailer, method } = context;
    const bearer = text(metadata, 'authorization');
    if (!bearer.startsWith('Bearer ')) throw new AppError('INVALID_TOKEN', 'A principal token is needed');
    const principal = await verify(bearer.slice(7));
    const origin = originOf(metadata);
    const tenantId = principal.tenantId ?? noTenant;
    context.tenantId = tenantId;
    const isProcess = principal.type === 'gateway' || principal.type === 'service';
    const actor = { id: principal.id, type: isProcess ? 'system' : principal.type, email: principal.email };
    const authorize: Call['authorize'] = (kind, action, attributes) =>
      authorizer.authorize(principal, { kind, action, version: 'default', attributes }, origin.traceparent);
    const ifMatch = text(metadata, 'if-match');
    const { expectVersion, requireChecked } = preconditionOf(ifMatch);
    const ctxOf = (em: EntityManager): Ctx => ({ em, tenantId, actor, origin, now, principal, log, authorize, expectVersion });
    const change = async <T>(em: EntityManager, work: (ctx: Ctx) => Promise<T>): Promise<T> => {
      try {
        const result = await work(ctxOf(em));
        if (ifMatch) await em.flush();
        requireChecked();
        return result;
      } catch (error) {
        // Somebody was faster after the version had been looked at.
        if (ifMatch && error instanceof OptimisticLockError) throw new AppError('PRECONDITION_FAILED', undefined, { cause: error });
        throw error;
      }
    };
    const own: Scope = { tenantId };
    const key = keyOf(metadata);
    const caller = { tenantId, actorId: principal.id };
    const findKept = async (em: EntityManager) => {
      const kept = key && (await findReply(em, caller, key));
      if (!kept) return undefined;
      trailer.set('idempotency-replayed', 'true');
      return fromBinary(method.output, kept) as never;
    };
    return {
      principal,
      tenantId,
      actor,
      origin,
      onceOnly: key !== undefined,
      log,
      tracer,
      get signal() {
        return context.signal;
      },
      now,
      authorize,
      read: (work, scope = own) => transaction(outbox.orm.em, scope, (em) => work(ctxOf(em))),
      write: (work, scope = own) => unitOfWork(outbox, scope, (em) => change(em, work)),
      writeOnce: (work, scope = own) =>
        unitOfWork(outbox, scope, async (em) => {
          const kept = await findKept(em);
          if (kept) return kept;
          const reply = await change(em, work);
          await em.flush();
          if (key) keepReply(em, caller, key, Buffer.from(toBinary(method.output, create(method.output, reply as never))), now());
          return reply;
        }),
      orKept: async (work) => {
        try {
          return await work();
        } catch (error) {
          const kept = key && error instanceof AppError ? await transaction(outbox.orm.em, own, findKept) : undefined;
          if (!kept) throw error;
          return kept;
        }
      },
    };
  };

/** A handler that changes state: one transaction, once per Idempotency-Key. */
export const command =
  <I, O>(work: (ctx: Ctx, request: I) => Promise<O>) =>
  (call: Call, request: I): Promise<O> =>
    call.writeOnce((ctx) => work(ctx, request) as never) as Promise<O>;

/** A handler that only reads. */
export const query =
  <I, O>(work: (ctx: Ctx, request: I) => Promise<O>) =>
  (call: Call, request: I): Promise<O> =>
    call.read((ctx) => work(ctx, request));
