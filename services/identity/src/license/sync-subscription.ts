import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';
import { changeLicense, tellSynced } from './change-license.ts';
import { endStatuses, entitlementOf, nothingPaid, type Prices, together } from './entitlement-of.ts';
import { lockLicense } from './find-license.ts';
import type { Entitlement, SyncStatus } from './license.ts';
import type { SubscriptionEvent } from './stripe-event.ts';

/** STALE: something newer is known; REPEATED: it was handled before; IGNORED: it is about no tenant of ours. */
export type SyncOutcome = SyncStatus | 'STALE' | 'REPEATED' | 'IGNORED';

type Subscription = SubscriptionEvent['subscription'];

/** Whose subscription it is: the tenant's that it was first told of, else the one it names, else the one of its customer. */
const tenantOf = async (em: EntityManager, { id, customerId, tenant }: Subscription): Promise<string | undefined> => {
  const [known] = await em.execute<{ tenant_id: string }[]>(
    `select tenant_id from (
       select tenant_id, 1 as rank from stripe_subscription where id = ?
       union all select id, 2 from tenant where id::text = ?
       union all select id, 3 from tenant where slug = ?
       union all select tenant_id, 4 from stripe_subscription where customer_id = ? and ? = ''
     ) as candidate order by rank limit 1`,
    [id, tenant, tenant, customerId, tenant],
  );
  // Stripe tries again for days: the tenant may be about to register.
  if (!known && tenant !== '') throw new AppError('TENANT_NOT_FOUND');
  return known?.tenant_id;
};

const wasHandled = async (em: EntityManager, eventId: string): Promise<boolean> =>
  (await em.execute('select 1 from stripe_event where id = ?', [eventId])).length > 0;

interface Known extends Entitlement {
  status: string;
  eventId: string;
  eventAt: string;
}

const find = async (em: EntityManager, id: string): Promise<Known | undefined> => {
  const rows = await em.execute<Known[]>(
    `select status, tier, to_json(flags) as flags, event_id as "eventId", event_at as "eventAt" from stripe_subscription where id = ?`,
    [id],
  );
  return rows[0];
};

/** Whether the event is older than what is known. Times are whole seconds: nothing comes before the first event, or after the end. */
const isStale = ({ id, createdAt, isFirst, subscription }: SubscriptionEvent, known: Known): boolean => {
  const knownAt = new Date(known.eventAt);
  return (
    createdAt < knownAt || (isFirst && id !== known.eventId) || (endStatuses.has(known.status) && !endStatuses.has(subscription.status))
  );
};

const keep = (em: EntityManager, tenantId: string, { id, createdAt, subscription }: SubscriptionEvent, { tier, flags }: Entitlement) =>
  em.execute(
    `insert into stripe_subscription (id, tenant_id, customer_id, status, tier, flags, event_id, event_at)
       values (?, ?, ?, ?, ?, array(select json_array_elements_text(?::json)), ?, ?)
     on conflict (id) do update set customer_id = excluded.customer_id, status = excluded.status, tier = excluded.tier,
       flags = excluded.flags, event_id = excluded.event_id, event_at = excluded.event_at`,
    [subscription.id, tenantId, subscription.customerId, subscription.status, tier, JSON.stringify(flags), id, createdAt],
  );

/** What all subscriptions of a tenant give. */
const paidBy = async (em: EntityManager, tenantId: string): Promise<Entitlement> =>
  together(
    await em.execute<Entitlement[]>('select tier, to_json(flags) as flags from stripe_subscription where tenant_id = ?', [tenantId]),
  );

/**
 * Brings a tenant's license in line with what Stripe tells of one of its subscriptions. Events may come twice, at once and in any order:
 * the license is locked first, an event counts once, and an older one changes nothing. Errors: TENANT_NOT_FOUND for one that is named.
 */
export const syncSubscription = async (ctx: Ctx, event: SubscriptionEvent, prices: Prices): Promise<SyncOutcome> => {
  const { em } = ctx;
  const tenantId = await tenantOf(em, event.subscription);
  if (tenantId === undefined) return 'IGNORED';
  const license = await lockLicense(em, tenantId);
  if (await wasHandled(em, event.id)) return 'REPEATED';
  const known = await find(em, event.subscription.id);
  if (known && isStale(event, known)) return 'STALE';

  const given = entitlementOf(event.subscription, prices);
  if (!given && known?.eventId === event.id) return 'UNKNOWN_PRICE';
  await keep(em, tenantId, event, given ?? known ?? nothingPaid);
  if (!given) {
    // Not noted as handled: once the price is known the event can be sent again. Until then what was paid for stays.
    license.synced('UNKNOWN_PRICE', event.id, ctx.now());
    tellSynced(ctx, license);
    ctx.log.warn({ stripe_event: event.id, tenant: tenantId }, 'Stripe tells of a price that is not configured');
    return 'UNKNOWN_PRICE';
  }
  await em.execute('insert into stripe_event (id, tenant_id, received_at) values (?, ?, ?)', [event.id, tenantId, ctx.now()]);
  const changed = changeLicense(ctx, license, await paidBy(em, tenantId));
  const status = changed ? 'CHANGED' : 'UNCHANGED';
  license.synced(status, event.id, ctx.now());
  if (!changed) tellSynced(ctx, license);
  return status;
};
