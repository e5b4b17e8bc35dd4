import { isDatabaseDown } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { DeadLetterReplayedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Logger } from '@accessops/telemetry';
import { LockMode, raw } from '@mikro-orm/postgresql';
import { DeadLetter, textOf } from './dead-letter.ts';
import { eventOf } from './event.ts';
import { createDispatch, type Hearing } from './handler.ts';
import { refusalOf } from './provenance.ts';
import { emit, type Outbox, unitOfWork, type WriteContext } from './unit-of-work.ts';

/** What the handler threw, kept apart from what is wrong with the replay itself. */
class HandlerFailed extends Error {}

/**
 * Hands a parked event to its handler again, in one transaction with its new status. A handler that fails again leaves it parked,
 * with the new error; what was refused is refused again. Errors: DEAD_LETTER_NOT_FOUND, DEAD_LETTER_REPLAYED, DEAD_LETTER_FAILED_AGAIN, DEPENDENCY_UNAVAILABLE.
 */
export const replayDeadLetter = async (
  outbox: Outbox,
  hearing: Hearing,
  id: string,
  by: Omit<WriteContext, 'em'>,
  log: Logger,
): Promise<DeadLetter> => {
  try {
    return await handleAgain(outbox, hearing, id, by, log);
  } catch (error) {
    if (!(error instanceof HandlerFailed)) throw error;
    if (isDatabaseDown(error.cause)) throw error.cause;
    log.warn({ err: error.cause, dead_letter: id }, 'event could not be handled again');
    await unitOfWork(outbox, 'all-tenants', (em) =>
      em.nativeUpdate(DeadLetter, { id, status: 'PARKED' }, { error: textOf(error.cause), attempts: raw('attempts + 1') }),
    );
    throw new AppError('DEAD_LETTER_FAILED_AGAIN', undefined, { cause: error.cause });
  }
};

const handleAgain = (
  outbox: Outbox,
  { tellers, subscriptions }: Hearing,
  id: string,
  by: Omit<WriteContext, 'em'>,
  log: Logger,
): Promise<DeadLetter> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const letter = await em.findOne(DeadLetter, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!letter) throw new AppError('DEAD_LETTER_NOT_FOUND');
    if (letter.status !== 'PARKED') throw new AppError('DEAD_LETTER_REPLAYED');
    await em.execute(`select set_config('app.tenant_id', ?, true)`, [letter.tenantId]);
    const event = eventOf(
      (name) => letter.headers[name] ?? '',
      letter.payload,
      letter.subject,
      () => letter.eventId,
    );
    const ctx = {
      ...by,
      em,
      log,
      event,
      tenantId: letter.tenantId,
      origin: event.origin,
      actor: { id: outbox.service, type: 'system', email: '' },
    };
    try {
      const refusal = refusalOf(tellers, letter.subject, letter.headers);
      if (refusal !== undefined) throw new Error(refusal);
      await createDispatch(subscriptions)(event.type)?.run(ctx);
      await em.flush();
    } catch (error) {
      throw new HandlerFailed('The handler failed', { cause: error });
    }
    letter.status = 'REPLAYED';
    letter.replayedAt = by.now();
    emit({ ...by, em }, DeadLetterReplayedSchema, { deadLetterId: id }, id, {
      action: 'DEAD_LETTER_REPLAYED',
      entityType: 'DEAD_LETTER',
      entityId: id,
      changes: { status: { before: 'PARKED', after: 'REPLAYED' } },
    });
    return letter;
  });
