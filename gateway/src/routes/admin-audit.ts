import { defineList, pageOf, type Route } from '../define-route.ts';
import { anyAuditEventJson, anyAuditEventSchema, auditEventExample } from '../representations/audit-event.ts';
import { auditFields } from './org-audit.ts';

/** What happened anywhere, for platform staff. */
export const adminAuditRoutes: Route[] = [
  defineList({
    path: '/api/v1/admin/audit',
    operationId: 'listAllAuditEvents',
    tag: 'Platform',
    summary: 'What happened in all tenants',
    audience: 'admin',
    cerbos: { resource: 'audit_event', action: 'list_any' },
    list: { fields: { ...auditFields, tenantId: 'uuid' }, defaultSort: '-id' },
    item: { schema: anyAuditEventSchema, example: { ...auditEventExample, tenantId: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39' } },
    handle: async ({ services, query, options }) => pageOf(await services.audit.listAllAuditEvents({ query }, options), anyAuditEventJson),
  }),
];
