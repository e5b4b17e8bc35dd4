import type { AuditEvent } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, jsonObject, time } from '../fields.ts';
import { objectOf, orNull, timeOf } from './proto.ts';

export const auditEventSchema = z
  .object({
    id: id('The event.'),
    sequence: z.int().openapi({ description: 'Starts at 1 in each tenant and has no gap.' }),
    occurredAt: time,
    actor: z.object({
      id: z.string(),
      type: z.enum(['user', 'service-account', 'system', 'anonymous']),
      email: z.string().optional(),
    }),
    action: z.string().openapi({ description: 'In the past tense: REQUEST_CREATED.' }),
    entityType: z.string(),
    entityId: z.string(),
    changes: jsonObject.openapi({ description: 'Field → `{before, after}`.' }),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable().openapi({ description: 'X-Request-Id of the call that set things going.' }),
    hash: z.string().openapi({ description: 'SHA-256 over this event and the hash before, in hex.' }),
  })
  .openapi('AuditEvent');

export const anyAuditEventSchema = auditEventSchema.extend({ tenantId: id('The tenant.').nullable() }).openapi('AnyAuditEvent');

export type AuditEventJson = z.infer<typeof auditEventSchema>;

export const auditEventExample: AuditEventJson = {
  id: exampleId,
  sequence: 17,
  occurredAt: exampleTime,
  actor: { id: '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c31', type: 'user', email: 'requester@acme.test' },
  action: 'REQUEST_CREATED',
  entityType: 'REQUEST',
  entityId: '0192f0c1-5555-7b4d-8c6f-2a9d1e4b7c35',
  changes: { status: { after: 'PENDING' } },
  ip: '127.0.0.1',
  userAgent: 'curl/8.7.1',
  requestId: '0192f0c1-7777-7b4d-8c6f-2a9d1e4b7c37',
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
};

/** An audit event as the API shows it. */
export const auditEventJson = (event: AuditEvent): AuditEventJson => ({
  id: event.id,
  sequence: Number(event.sequence),
  occurredAt: timeOf(event.occurredAt),
  actor: {
    id: event.actor?.id ?? '',
    type: (event.actor?.type ?? 'system') as AuditEventJson['actor']['type'],
    ...(event.actor?.email ? { email: event.actor.email } : {}),
  },
  action: event.action,
  entityType: event.entityType,
  entityId: event.entityId,
  changes: objectOf(event.changesJson),
  ip: orNull(event.ip),
  userAgent: orNull(event.userAgent),
  requestId: orNull(event.requestId),
  hash: event.hash,
});

/** The same with its tenant, for platform staff. */
export const anyAuditEventJson = (event: AuditEvent): z.infer<typeof anyAuditEventSchema> => ({
  ...auditEventJson(event),
  tenantId: orNull(event.tenantId),
});
