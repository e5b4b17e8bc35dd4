import type { Grant, GrantCost } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { moneyJson, moneySchema } from './money.ts';
import { timeOf, timeOrNull } from './proto.ts';

const costSchema = moneySchema.extend({ pricePerHour: moneySchema }).openapi({
  description: 'What it costs until now, or in the end; null: it is free. The price is that of the time of approval.',
});

export const grantSchema = z
  .object({
    id: id('The grant.'),
    requestId: id('The request it comes from.'),
    holderId: id('Who has it.'),
    resourceId: id('To what.'),
    role: z.string(),
    status: z.enum(['ACTIVE', 'REVOKING', 'EXPIRED', 'REVOKED', 'REVOKE_FAILED']),
    activatedAt: time,
    expiresAt: time,
    endedAt: time.nullable(),
    cost: costSchema.nullable(),
  })
  .openapi('Grant');

type GrantJson = z.infer<typeof grantSchema>;

export const grantExample: GrantJson = {
  id: exampleId,
  requestId: '0192f0c1-5555-7b4d-8c6f-2a9d1e4b7c35',
  holderId: '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c31',
  resourceId: '0192f0c1-2222-7b4d-8c6f-2a9d1e4b7c32',
  role: 'reader',
  status: 'ACTIVE',
  activatedAt: exampleTime,
  expiresAt: '2026-11-21T13:30:00.000Z',
  endedAt: null,
  cost: { amount: 125, currency: 'EUR', pricePerHour: { amount: 250, currency: 'EUR' } },
};

/** What a service always sends with a cost is its price. */
const costJson = ({ amount, pricePerHour }: GrantCost): NonNullable<GrantJson['cost']> => {
  if (!pricePerHour) throw new Error('A service has left out a price');
  const price = moneyJson(pricePerHour);
  return { amount: Number(amount), currency: price.currency, pricePerHour: price };
};

/** A grant as the API shows it. */
export const grantJson = (grant: Grant): GrantJson => ({
  id: grant.id,
  requestId: grant.requestId,
  holderId: grant.holderId,
  resourceId: grant.resourceId,
  role: grant.role,
  status: grant.status as GrantJson['status'],
  activatedAt: timeOf(grant.activatedAt),
  expiresAt: timeOf(grant.expiresAt),
  endedAt: timeOrNull(grant.endedAt),
  cost: grant.cost ? costJson(grant.cost) : null,
});
