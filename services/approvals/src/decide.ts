import { setTimeout as delay } from 'node:timers/promises';
import { type CallFunction, callWithin } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { DecideRequest, DecideResponseSchema } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import type { Call } from '@accessops/service';
import { during, parseTraceparent } from '@accessops/telemetry';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { notPending } from './approval-case.ts';
import type { Arbiter } from './arbiter.ts';
import { assertNoCustodian, unconfirmed } from './cast-vote.ts';
import { isId } from './id.ts';
import { attributesOf } from './policy-attributes.ts';
import { recordVote } from './record-vote.ts';
import { traceVote } from './trace-vote.ts';
import type { TakeTurns } from './turns.ts';
import { opinionOf } from './vote.ts';

/** What deciding needs besides the call. */
export interface DecideParts {
  arbiter: Arbiter;
  database: CallFunction;
  takeTurns: TakeTurns;
  /** Called when events lie in the outbox. */
  wake(): void;
}

type Reply = MessageInitShape<typeof DecideResponseSchema>;

const assertMayDecide = async (call: Call, request: AccessRequest): Promise<void> => {
  if (request.requesterId === call.principal.id) throw new AppError('SELF_APPROVAL_FORBIDDEN');
  assertNoCustodian(new Set(request.custodianIds), call.principal.id);
  try {
    await call.authorize('approval', 'decide', attributesOf(call.tenantId, request));
  } catch (error) {
    if (error instanceof AppError && error.code === 'PERMISSION_DENIED') throw new AppError('NOT_ELIGIBLE', undefined, { cause: error });
    throw error;
  }
};

const confirmWithinMs = 5000;
const longestPauseMs = 400;

/** A role given a moment ago is known at the gateway a little earlier than here, on a busy machine by seconds: its event is waited for. */
const onceConfirmed = async <T>(record: () => Promise<T>): Promise<T> => {
  const endsAt = performance.now() + confirmWithinMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await record();
    } catch (error) {
      if (!(error instanceof AppError && error.cause === unconfirmed) || performance.now() > endsAt) throw error;
      await delay(pauseMs);
    }
  }
};

const overWithout = new Set(['REJECTED', 'CANCELLED', 'LAPSED']);
const agrees = (outcome: 'APPROVED' | 'REJECTED', status: string): boolean =>
  outcome === 'REJECTED' ? status === 'REJECTED' : !overWithout.has(status);

/** Tells the arbiter what the votes have decided, and the caller what became of it. */
const settled = async (call: Call, arbiter: Arbiter, reply: Reply, outcome: 'APPROVED' | 'REJECTED'): Promise<Reply> => {
  const requestId = reply.requestId ?? '';
  try {
    const { status } = await arbiter.settle(call, requestId, outcome);
    if (status === 'PENDING') return { ...reply, status };
    if (!agrees(outcome, status)) throw notPending(status);
    return reply;
  } catch (error) {
    if (error instanceof AppError && error.code === 'REQUEST_NOT_PENDING') throw error;
    // The vote and the outcome are kept: the event settles the request as soon as it can.
    const { origin, tenantId: tenant } = call;
    call.log.warn(
      {
        err: error,
        tenant,
        request_id: origin.requestId,
        trace_id: parseTraceparent(origin.traceparent)?.traceId,
        access_request_id: requestId,
        outcome,
      },
      'the outcome is settled later',
    );
    return { ...reply, status: 'PENDING' };
  }
};

/**
 * Records the caller's vote and, when it decides the request, has the outcome settled at once. A repeated call under the same
 * Idempotency-Key settles again, which changes nothing but makes up for a call that broke off after its commit.
 * Errors: SELF_APPROVAL_FORBIDDEN, NOT_ELIGIBLE, ALREADY_DECIDED, REQUEST_NOT_PENDING, REQUEST_NOT_FOUND, DEPENDENCY_UNAVAILABLE.
 */
export const decide = async (call: Call, { arbiter, database, takeTurns, wake }: DecideParts, input: DecideRequest): Promise<Reply> => {
  const { type, tenantId } = call.principal;
  if (type !== 'user' || !tenantId) throw new AppError('PERMISSION_DENIED', 'Only people of the organisation decide.');
  const opinion = opinionOf(input);
  if (!isId(input.requestId)) throw new AppError('REQUEST_NOT_FOUND');
  const request = await arbiter.find(call, input.requestId);
  await assertMayDecide(call, request);
  const record = (at: CallFunction) => recordVote(call, at, request, opinion);
  const once = () => (call.onceOnly ? call.writeOnce<typeof DecideResponseSchema>(({ em }) => record(callWithin(em))) : record(database));
  return during(traceVote(call, request), async () => {
    const reply = await onceConfirmed(() => takeTurns(request.id, once));
    wake();
    return reply.status === 'APPROVED' || reply.status === 'REJECTED' ? settled(call, arbiter, reply, reply.status) : reply;
  });
};
