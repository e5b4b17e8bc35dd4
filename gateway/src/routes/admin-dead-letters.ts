import { listDeadLetters, replayDeadLetter } from '../dead-letters.ts';
import { defineList, defineRoute, noBody, type Route } from '../define-route.ts';
import { deadLetterExample, deadLetterJson, deadLetterSchema } from '../representations/dead-letter.ts';

const item = { schema: deadLetterSchema, example: deadLetterExample };

/** Events that a service could not handle. */
export const adminDeadLetterRoutes: Route[] = [
  defineList({
    path: '/api/v1/admin/dead-letters',
    operationId: 'listDeadLetters',
    tag: 'Platform',
    summary: 'Events that were parked after their last attempt, of all services',
    audience: 'admin',
    cerbos: { resource: 'dead_letter', action: 'list' },
    list: {
      fields: {
        id: 'uuid',
        consumer: 'choice',
        eventType: 'text',
        eventId: 'uuid',
        tenantId: 'uuid',
        status: 'text',
        parkedAt: 'time',
        replayedAt: 'time',
      },
      sortable: ['parkedAt'],
      defaultSort: '-parkedAt',
    },
    item,
    handle: async ({ services, query, options }) => {
      const { items, next } = await listDeadLetters(services.operations, query, options);
      return { items: items.map(deadLetterJson), next };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/admin/dead-letters/{id}/replay',
    operationId: 'replayDeadLetter',
    tag: 'Platform',
    summary: 'Hand a parked event to its handler again',
    audience: 'admin',
    cerbos: { resource: 'dead_letter', action: 'replay' },
    body: noBody,
    answer: {
      status: 200,
      description: 'The dead letter.',
      ...item,
      example: { ...deadLetterExample, status: 'REPLAYED', replayedAt: '2026-11-21T10:00:00.000Z' },
    },
    errors: ['DEAD_LETTER_NOT_FOUND', 'DEAD_LETTER_REPLAYED', 'DEAD_LETTER_FAILED_AGAIN'],
    handle: async ({ services, params, options }) => deadLetterJson(await replayDeadLetter(services.operations, params.id ?? '', options)),
  }),
];
