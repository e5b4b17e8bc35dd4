import { AppError } from '@accessops/errors';
import { z } from 'zod';

/** Of an event of Stripe what licenses are made of. */
export interface SubscriptionEvent {
  /** The same in every delivery. */
  id: string;
  /** When it happened: events arrive in any order. */
  createdAt: Date;
  /** Whether it tells that the subscription was made: nothing of it is older. */
  isFirst: boolean;
  subscription: {
    id: string;
    customerId: string;
    status: string;
    /** Slug or id of the tenant out of the metadata; empty when it is not told. */
    tenant: string;
    /** Ids of prices and products. */
    items: { priceId: string; productId: string }[];
  };
}

const idOrObject = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

const subscription = z.object({
  object: z.literal('subscription'),
  id: z.string().max(255),
  customer: idOrObject,
  status: z.string().max(64),
  metadata: z.record(z.string(), z.string()).nullish(),
  items: z.object({ data: z.array(z.object({ price: z.object({ id: z.string(), product: idOrObject }) })) }),
});

const subscriptionEvent = z.object({
  id: z.string().min(1).max(255),
  type: z.string().startsWith('customer.subscription.'),
  created: z.int().positive(),
  data: z.object({ object: subscription }),
});

/** What a verified event tells of a subscription; undefined for an event of another kind. */
export const subscriptionEventOf = (event: unknown): SubscriptionEvent | undefined => {
  const { success, data } = subscriptionEvent.safeParse(event);
  if (!success) return undefined;
  const { id, customer, status, metadata, items } = data.data.object;
  return {
    id: data.id,
    createdAt: new Date(data.created * 1000),
    isFirst: data.type === 'customer.subscription.created',
    subscription: {
      id,
      customerId: customer,
      status,
      tenant: metadata?.tenant ?? '',
      items: items.data.map(({ price }) => ({ priceId: price.id, productId: price.product })),
    },
  };
};

const toleranceSeconds = 300;

/**
 * The event in a webhook's body, once its signature is found good: made with the secret over exactly these bytes, at most five minutes
 * ago. Errors: WEBHOOK_SIGNATURE_INVALID. See https://docs.stripe.com/webhooks#verify-official-libraries.
 */
export const verifiedEvent = async (payload: Uint8Array, signature: string, secret: string, now: Date): Promise<unknown> => {
  // Loaded when the first webhook comes: it takes 35 MB, and most installations never get one.
  const { Stripe } = await import('stripe');
  try {
    return Stripe.webhooks.constructEvent(Buffer.from(payload), signature, secret, toleranceSeconds, undefined, now.getTime());
  } catch (cause) {
    throw new AppError('WEBHOOK_SIGNATURE_INVALID', undefined, { cause });
  }
};
