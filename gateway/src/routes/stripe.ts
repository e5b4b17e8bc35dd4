import { z } from '@hono/zod-openapi';
import { defineRoute, type Route } from '../define-route.ts';

const outcome = z.enum(['CHANGED', 'UNCHANGED', 'UNKNOWN_PRICE', 'STALE', 'REPEATED', 'IGNORED']);

/** The webhook of Stripe. */
export const stripeRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/webhooks/stripe',
    operationId: 'receiveStripeEvent',
    tag: 'Webhooks',
    summary: 'Take an event of Stripe',
    description: 'Needs the header `Stripe-Signature` over exactly this body, at most five minutes old.',
    audience: 'public',
    cerbos: { resource: 'license', action: 'sync' },
    idempotent: false,
    rawBody: {
      schema: z.looseObject({ id: z.string(), type: z.string(), created: z.int() }).openapi('StripeEvent'),
      example: {
        id: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
        object: 'event',
        type: 'customer.subscription.updated',
        created: 1_795_254_600,
        data: {},
      },
    },
    answer: {
      status: 200,
      description: 'What became of it.',
      schema: z.object({ received: z.literal(true), outcome }),
      example: { received: true, outcome: 'CHANGED' },
    },
    errors: ['WEBHOOK_SIGNATURE_INVALID', 'WEBHOOK_NOT_CONFIGURED', 'TENANT_NOT_FOUND'],
    handle: async ({ services, raw, header, options }) => {
      const reply = await services.identity.receiveStripeEvent({ payload: raw, signature: header('stripe-signature') }, options);
      return { received: true, outcome: reply.outcome };
    },
  }),
];
