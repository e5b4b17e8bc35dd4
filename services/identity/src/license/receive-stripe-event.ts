import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { ReceiveStripeEventRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { Settings } from '../settings/settings.ts';
import { subscriptionEventOf, verifiedEvent } from './stripe-event.ts';
import { type SyncOutcome, syncSubscription } from './sync-subscription.ts';

/**
 * Takes a webhook of Stripe. What is not about a subscription is ignored.
 * Errors: WEBHOOK_NOT_CONFIGURED, WEBHOOK_SIGNATURE_INVALID, TENANT_NOT_FOUND.
 */
export const receiveStripeEvent = async (
  call: Call,
  settings: Settings,
  { payload, signature }: ReceiveStripeEventRequest,
): Promise<SyncOutcome> => {
  const secret = await call.read(({ em }) => settings.valueOf(em, noTenant, 'stripe.webhook-secret'));
  if (secret === '') throw new AppError('WEBHOOK_NOT_CONFIGURED');
  const event = subscriptionEventOf(await verifiedEvent(payload, signature, secret, call.now()));
  if (!event) return 'IGNORED';
  return call.write(async (ctx) => {
    const prices = await settings.valueOf(ctx.em, noTenant, 'stripe.prices');
    return syncSubscription({ ...ctx, actor: { id: 'stripe', type: 'system', email: '' } }, event, prices);
  }, 'all-tenants');
};
