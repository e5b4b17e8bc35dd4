import type { Handlers } from '@accessops/grpc';
import type { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import type { Call } from '@accessops/service';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { AuditEvent } from './audit-event.ts';
import { exportAuditEvents } from './export-audit-events.ts';
import { listAllAuditEvents, listAuditEvents } from './list-audit-events.ts';
import { verifyAuditChain } from './verify-audit-chain.ts';

const toProto = (event: AuditEvent) => ({
  id: event.id,
  tenantId: event.tenantId,
  sequence: BigInt(event.sequence),
  occurredAt: timestampFromDate(event.occurredAt),
  actor: { id: event.actorId, type: event.actorType, email: event.actorEmail },
  action: event.action,
  entityType: event.entityType,
  entityId: event.entityId,
  changesJson: event.changes,
  ip: event.ip,
  userAgent: event.userAgent,
  requestId: event.requestId,
  hash: Buffer.from(event.hash).toString('hex'),
});

/** The gRPC side of the audit service. */
export const auditHandlers = (): Handlers<typeof AuditService, Call> => ({
  listAuditEvents: async (call, { query }) => {
    await call.authorize('audit_event', 'list', { tenantId: call.tenantId });
    const { items, next } = await call.read((ctx) => listAuditEvents(ctx, query));
    return { items: items.map(toProto), page: { next } };
  },
  listAllAuditEvents: async (call, { query }) => {
    await call.authorize('audit_event', 'list_any', {});
    const { items, next } = await call.read((ctx) => listAllAuditEvents(ctx, query), 'all-tenants');
    return { items: items.map(toProto), page: { next } };
  },
  exportAuditEvents: async function* (call, { query }) {
    await call.authorize('audit_event', 'export', { tenantId: call.tenantId });
    for await (const events of exportAuditEvents(call, query)) yield { items: events.map(toProto) };
  },
  verifyAuditChain: async (call) => {
    await call.authorize('audit_event', 'verify', { tenantId: call.tenantId });
    const { events, head, brokenAt } = await verifyAuditChain(call);
    return { ok: brokenAt === 0, events: BigInt(events), head, brokenAt: BigInt(brokenAt) };
  },
});
