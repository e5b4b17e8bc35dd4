import { defineEntity, p } from '@mikro-orm/postgresql';

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_event',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    sequence: p.bigint('number'),
    occurredAt: p.datetime(),
    recordedAt: p.datetime(),
    actorId: p.text(),
    actorType: p.text(),
    actorEmail: p.text(),
    action: p.text(),
    entityType: p.text(),
    entityId: p.text(),
    changes: p.text(),
    ip: p.text(),
    userAgent: p.text(),
    requestId: p.text(),
    prevHash: p.blob(),
    hash: p.blob(),
    leafHash: p.blob(),
  },
});

/** One change of state, as it stands in the log. It is appended and read, never changed. */
export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);
