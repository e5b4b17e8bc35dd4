import type { Grant } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { timeOf, timeOrNull } from './proto.ts';

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
});
