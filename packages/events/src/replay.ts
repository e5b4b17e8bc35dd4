import { AppError } from '@accessops/errors';
import { DeadLetterReplayedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Logger } from '@accessops/telemetry';
import { LockMode } from '@mikro-orm/postgresql';
import type { ApplyBatch } from './consumer.ts';
import { DeadLetter } from './dead-letter.ts';
import { eventOf } from './event.ts';
import type { Subscription } from './handler.ts';
import { emit, type Outbox, unitOfWork, type WriteContext } from './unit-of-work.ts';

/** How a service handles an event, for one that was parked. */
export interface ReplayHandlers {
  subscriptions: Subscription[];
  applyBatch?: ApplyBatch;
}

/**
 * Hands a parked event to its handler again, in one transaction with its new status. A handler that fails again leaves it parked.
 * Errors: DEAD_LETTER_NOT_FOUND, DEAD_LETTER_REPLAYED.
 */
export const replayDeadLetter = (
  outbox: Outbox,
  { subscriptions, applyBatch }: ReplayHandlers,
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
    if (applyBatch) await applyBatch(em, [event]);
    else await subscriptions.find(({ type }) => type === event.type)?.run(ctx);
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
