import { randomBytes } from 'node:crypto';
import { until } from '@accessops/testing';
import { Stripe } from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Call, type Item, type Person, startWorld, type World } from './world.ts';

const secret = `whsec_${randomBytes(16).toString('hex')}`;
const seconds = () => Math.floor(Date.now() / 1000);
const newName = (prefix: string) => `${prefix}_${randomBytes(8).toString('hex')}`;

interface Told {
  id?: string;
  type?: string;
  created?: number;
  subscription?: string;
  customer?: string;
  status?: string;
  price?: string;
  product?: string;
  tenant?: string;
}

/** An event as Stripe sends it, as far as it matters. */
const eventOf = ({ id = newName('evt'), type = 'customer.subscription.updated', created = seconds(), ...of }: Told): string =>
  JSON.stringify({
    id,
    object: 'event',
    type,
    created,
    api_version: '2026-01-28.clover',
    data: {
      object: {
        id: of.subscription ?? newName('sub'),
        object: 'subscription',
        customer: of.customer ?? newName('cus'),
        status: of.status ?? 'active',
        metadata: of.tenant === undefined ? {} : { tenant: of.tenant },
        items: { object: 'list', data: [{ id: 'si_1', price: { id: of.price ?? 'price_team', product: of.product ?? 'prod_x' } }] },
      },
    },
  });

const sign = (payload: string, { timestamp = seconds(), key = secret }: { timestamp?: number; key?: string } = {}): string =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret: key, timestamp });

describe('the webhook of Stripe', () => {
  let world: World;
  let call: Call;
  let root: Person;
  /** What was answered before there was a secret. */
  let unconfigured: Answer;

  const deliver = (payload: string | Uint8Array, signature?: string): Promise<Answer> =>
    call('POST', '//webhooks/stripe', {
      body: payload,
      headers: { 'content-type': 'application/json; charset=utf-8', ...(signature ? { 'stripe-signature': signature } : {}) },
    });
  const send = async (told: Told) => {
    const payload = eventOf(told);
    const { status, body } = await deliver(payload, sign(payload));
    return status === 200 ? body.outcome : body.error?.code;
  };
  const organization = async () => {
    const { admin, slug, id } = await world.organization();
    const license = async () => (await call('GET', '/org/license', { token: admin.token })).body;
    /** What the audit log tells of the license; it is a moment behind. */
    const changes = (count: number) =>
      until(
        async () => {
          const { body } = await call('GET', '/org/audit?filter[entityType][eq]=LICENSE&sort=sequence', { token: admin.token });
          return (body.items?.length ?? 0) >= count && body.items;
        },
        { what: `${count} changes of the license` },
      );
    return { id, slug, license, changes };
  };

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    root = await world.staff('platform-admin');
    const payload = eventOf({});
    unconfigured = await deliver(payload, sign(payload));
    const prices = { price_team: { tier: 'team', flags: ['sso'] }, prod_enterprise: { tier: 'enterprise', flags: ['scim', 'sso'] } };
    for (const [key, value] of [
      ['stripe.webhook-secret', secret],
      ['stripe.prices', prices],
    ] as const)
      await call('PUT', `/admin/settings/${key}`, { token: root.token, body: { value } });
  });
  afterAll(() => world.close());

  test('when there is no secret yet, then Stripe is asked to come again', () => {
    expect(unconfigured).toMatchObject({ status: 503, body: { error: { code: 'WEBHOOK_NOT_CONFIGURED' } } });
  });

  test('when the signature is missing, forged, of another body or too old, then it is 400 and nothing changes', async () => {
    const { slug, license } = await organization();
    const payload = eventOf({ tenant: slug });
    const before = await license();
    const refused = async (body: string | Uint8Array, signature?: string) => {
      const answer = await deliver(body, signature);
      return `${answer.status} ${answer.body.error?.code}`;
    };
    for (const signature of [
      undefined,
      'nonsense',
      't=1,v1=00',
      sign(payload, { key: 'whsec_other' }),
      sign(eventOf({ tenant: slug, price: 'prod_enterprise' })),
      sign(payload, { timestamp: seconds() - 301 }),
      sign(payload).replace(/v1=/, 'v0='),
    ])
      expect(await refused(payload, signature)).toBe('400 WEBHOOK_SIGNATURE_INVALID');
    // The same JSON in other bytes is another body.
    expect(await refused(`${payload} `, sign(payload))).toBe('400 WEBHOOK_SIGNATURE_INVALID');
    expect(await refused('', sign(''))).toBe('400 WEBHOOK_SIGNATURE_INVALID');
    expect(await refused('x'.repeat(1024 * 1024 + 1), sign(payload))).toBe('413 BODY_TOO_LARGE');
    expect(await license()).toEqual(before);
  });

  test('when the body holds more than ASCII, then the signature is checked over its bytes', async () => {
    const bytes = Buffer.from(
      eventOf({ type: 'customer.created' }).replace('"object":"event"', '"note":"\u00e9\u{1F600}","object":"event"'),
    );
    expect(await deliver(bytes, sign(bytes.toString()))).toMatchObject({ status: 200, body: { received: true, outcome: 'IGNORED' } });
  });

  test('when a subscription is bought, changed and ended, then tier and flags follow, and the sync is shown', async () => {
    const { id, slug, license, changes } = await organization();
    const subscription = newName('sub');
    const [first, second, third] = [newName('evt'), newName('evt'), newName('evt')];
    const at = seconds();
    expect(await send({ id: first, type: 'customer.subscription.created', subscription, tenant: slug, created: at })).toBe('CHANGED');
    expect(await license()).toMatchObject({
      tier: 'team',
      flags: ['sso'],
      limits: { users: 1000 },
      lastSync: { status: 'CHANGED', eventId: first },
    });
    // By the id of the tenant, and by the product where the price is not known.
    expect(await send({ id: second, subscription, tenant: id, price: 'price_y', product: 'prod_enterprise', created: at + 1 })).toBe(
      'CHANGED',
    );
    expect(await license()).toMatchObject({ tier: 'enterprise', flags: ['scim', 'sso'], lastSync: { eventId: second } });
    expect(await send({ id: third, subscription, tenant: slug, price: 'prod_enterprise', status: 'past_due', created: at + 2 })).toBe(
      'UNCHANGED',
    );
    expect(await license()).toMatchObject({ tier: 'enterprise', lastSync: { status: 'UNCHANGED', eventId: third } });
    const deleted = { type: 'customer.subscription.deleted', status: 'canceled', subscription, created: at + 3 };
    expect(await send(deleted)).toBe('CHANGED');
    expect(await license()).toMatchObject({ tier: 'free', flags: [] });
    expect((await changes(4)).map(({ action, actor }) => [action, (actor as Item).id])).toEqual([
      ['LICENSE_CHANGED', 'stripe'],
      ['LICENSE_CHANGED', 'stripe'],
      ['LICENSE_SYNCED', 'stripe'],
      ['LICENSE_CHANGED', 'stripe'],
    ]);
  });

  test('when an event is delivered again, then nothing changes, the sync included', async () => {
    const { slug, license, changes } = await organization();
    const told = { id: newName('evt'), subscription: newName('sub'), tenant: slug };
    expect(await send(told)).toBe('CHANGED');
    const [before, audit] = [await license(), await changes(1)];
    for (let times = 0; times < 3; times++) expect(await send(told)).toBe('REPEATED');
    expect(await license()).toEqual(before);
    expect(await changes(1)).toEqual(audit);
  });

  test('when an event is delivered ten times at once, then it has one effect', async () => {
    const { slug, license, changes } = await organization();
    const payload = eventOf({ tenant: slug });
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(payload, sign(payload))));
    expect(answers.map(({ body }) => body.outcome).sort()).toEqual(['CHANGED', ...Array.from({ length: 9 }, () => 'REPEATED')]);
    expect(await license()).toMatchObject({ tier: 'team', version: 2 });
    expect(await changes(1)).toHaveLength(1);
  });

  test('when an older event comes after a newer one, then the newer one stays', async () => {
    const { slug, license } = await organization();
    const subscription = newName('sub');
    const at = seconds();
    expect(await send({ subscription, tenant: slug, price: 'prod_enterprise', created: at })).toBe('CHANGED');
    const before = await license();
    expect(await send({ subscription, tenant: slug, price: 'price_team', created: at - 60 })).toBe('STALE');
    // Of the same second, but the first of all.
    const first = { type: 'customer.subscription.created', status: 'incomplete', subscription, tenant: slug, created: at };
    expect(await send(first)).toBe('STALE');
    expect(await license()).toEqual(before);
    expect(await send({ type: 'customer.subscription.deleted', status: 'canceled', subscription, created: at })).toBe('CHANGED');
    expect(await send({ subscription, tenant: slug, price: 'prod_enterprise', created: at })).toBe('STALE');
    expect(await license()).toMatchObject({ tier: 'free' });
  });

  test('when one subscription takes the place of another, then the end of the old one takes nothing away', async () => {
    const { slug, license } = await organization();
    const [old, next] = [newName('sub'), newName('sub')];
    const at = seconds();
    await send({ subscription: old, tenant: slug, price: 'price_team', created: at });
    await send({ subscription: next, tenant: slug, price: 'prod_enterprise', created: at + 1 });
    expect(await send({ type: 'customer.subscription.deleted', status: 'canceled', subscription: old, created: at + 2 })).toBe('UNCHANGED');
    expect(await license()).toMatchObject({ tier: 'enterprise', flags: ['scim', 'sso'] });
  });

  test('when the tenant is not named, then the customer tells who it is; a customer of nobody’s is ignored', async () => {
    const { slug, license } = await organization();
    const customer = newName('cus');
    await send({ customer, tenant: slug });
    expect(await send({ customer, price: 'prod_enterprise' })).toBe('CHANGED');
    expect(await license()).toMatchObject({ tier: 'enterprise' });
    expect(await send({})).toBe('IGNORED');
    expect(await send({ tenant: 'no-such-tenant' })).toBe('TENANT_NOT_FOUND');
  });

  test('when a subscription names another tenant than before, then it stays where it was', async () => {
    const [one, two] = [await organization(), await organization()];
    const subscription = newName('sub');
    await send({ subscription, tenant: one.slug });
    expect(await send({ subscription, tenant: two.slug, price: 'prod_enterprise', created: seconds() + 1 })).toBe('CHANGED');
    expect(await one.license()).toMatchObject({ tier: 'enterprise' });
    expect(await two.license()).toMatchObject({ tier: 'free', lastSync: null });
  });

  test('when the price is not known, then what is paid for stays, and the event counts once the price is known', async () => {
    const { slug, license } = await organization();
    const subscription = newName('sub');
    const at = seconds();
    await send({ subscription, tenant: slug, created: at });
    const price = newName('price');
    const event = { id: newName('evt'), subscription, tenant: slug, price, created: at + 1 };
    expect(await send(event)).toBe('UNKNOWN_PRICE');
    const shown = await license();
    expect(shown).toMatchObject({ tier: 'team', flags: ['sso'], lastSync: { status: 'UNKNOWN_PRICE', eventId: event.id } });
    expect(await send(event)).toBe('UNKNOWN_PRICE');
    expect(await license()).toEqual(shown);
    const { body } = await call('GET', '/admin/settings/stripe.prices', { token: root.token });
    const value = { ...(body.value as object), [price]: { tier: 'enterprise' } };
    await call('PUT', '/admin/settings/stripe.prices', { token: root.token, body: { value } });
    expect(await send(event)).toBe('CHANGED');
    expect(await license()).toMatchObject({ tier: 'enterprise', flags: [], lastSync: { status: 'CHANGED' } });
  });
});
