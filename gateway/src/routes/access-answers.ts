import { z } from '@hono/zod-openapi';
import { defineRoute, type Route } from '../define-route.ts';

const signatureHeaders = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
const key = '0199f3c4-1c3e-7d0a-9f43-5a7d2b8e6c10';

/** What targets tell later that were asked for access by the connector `webhook`. */
export const accessAnswerRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/webhooks/access/{key}',
    operationId: 'hearAccessAnswer',
    tag: 'Webhooks',
    summary: 'Take the answer of a target that has promised one',
    description: 'Needs the headers of Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) over exactly this body.',
    audience: 'public',
    cerbos: { resource: 'job', action: 'answer' },
    idempotent: false,
    rawBody: {
      schema: z
        .looseObject({
          type: z.literal('access.answered'),
          data: z.looseObject({
            key: z.uuid(),
            attempt: z.int().openapi({ description: 'Of the request that is answered.' }),
            outcome: z.enum(['done', 'refused', 'failed']),
            credential: z.record(z.string(), z.unknown()).optional(),
            message: z.string().max(300).optional(),
          }),
        })
        .openapi('AccessAnswer'),
      example: {
        type: 'access.answered',
        timestamp: '2026-11-22T09:30:00Z',
        data: { key, attempt: 1, outcome: 'done', credential: { username: 'ada', password: '…' } },
      },
    },
    answer: {
      status: 200,
      description: 'What became of it: it counts, it has counted before, or nobody waits for it any more.',
      schema: z.object({ received: z.literal(true), outcome: z.enum(['ACCEPTED', 'REPEATED', 'STALE']) }),
      example: { received: true, outcome: 'ACCEPTED' },
    },
    errors: ['WEBHOOK_SIGNATURE_INVALID'],
    handle: async ({ services, params, raw, header, options }) => {
      const headers = Object.fromEntries(signatureHeaders.map((name) => [name, header(name)]));
      const reply = await services.provisioner.hearAnswer({ key: params.key, payload: raw, headers }, options);
      return { received: true, outcome: reply.outcome };
    },
  }),
];
