import type { DeadLetter } from '@accessops/proto/accessops/operations/v1/operations_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf, timeOrNull } from './proto.ts';

export const deadLetterSchema = z
  .object({
    id: id('The dead letter.'),
    consumer: z.string().openapi({ description: 'The service that could not handle the event.' }),
    eventId: id('The event.'),
    eventType: z.string(),
    tenantId: id('The tenant.').nullable(),
    error: z.string().openapi({ description: 'What the last attempt ended with.' }),
    attempts: z.int(),
    status: z.enum(['PARKED', 'REPLAYED']),
    parkedAt: time,
    replayedAt: time.nullable(),
  })
  .openapi('DeadLetter');

export type DeadLetterJson = z.infer<typeof deadLetterSchema>;

export const deadLetterExample: DeadLetterJson = {
  id: exampleId,
  consumer: 'provisioner',
  eventId: '0192f0c1-8888-7b4d-8c6f-2a9d1e4b7c38',
  eventType: 'RequestApproved',
  tenantId: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39',
  error: 'the event names no connector',
  attempts: 5,
  status: 'PARKED',
  parkedAt: exampleTime,
  replayedAt: null,
};

/** A dead letter as the API shows it. */
export const deadLetterJson = (letter: DeadLetter): DeadLetterJson => ({
  id: letter.id,
  consumer: letter.consumer,
  eventId: letter.eventId,
  eventType: letter.eventType,
  tenantId: orNull(letter.tenantId),
  error: letter.error,
  attempts: letter.attempts,
  status: letter.status as DeadLetterJson['status'],
  parkedAt: timeOf(letter.parkedAt),
  replayedAt: timeOrNull(letter.replayedAt),
});
