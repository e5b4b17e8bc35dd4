import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { exportAnswer, exportSamples } from '../export-audit.ts';
import type { ListDeclaration } from '../list-query.ts';
import { auditEventExample, auditEventJson, auditEventSchema } from '../representations/audit-event.ts';

/** What audit events can be filtered and sorted by. */
export const auditFields: ListDeclaration['fields'] = {
  id: 'uuid',
  sequence: 'integer',
  occurredAt: 'time',
  actorId: 'text',
  action: 'text',
  entityType: 'text',
  entityId: 'text',
  requestId: 'text',
};

/** What happened in the tenant. */
export const orgAuditRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/audit',
    operationId: 'listAuditEvents',
    tag: 'Audit',
    summary: 'What happened',
    audience: 'org-admin',
    cerbos: { resource: 'audit_event', action: 'list' },
    list: { fields: auditFields, defaultSort: '-sequence' },
    item: { schema: auditEventSchema, example: auditEventExample },
    handle: async ({ services, query, options }) => pageOf(await services.audit.listAuditEvents({ query }, options), auditEventJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/audit/verify',
    operationId: 'verifyAudit',
    tag: 'Audit',
    summary: 'Recompute the hash chain from the first event on',
    audience: 'org-admin',
    cerbos: { resource: 'audit_event', action: 'verify' },
    deadlineMs: 30_000,
    answer: {
      status: 200,
      description: 'Whether the chain holds.',
      schema: z.object({
        ok: z.boolean(),
        events: z.int().openapi({ description: 'How many were checked.' }),
        head: z.string().openapi({ description: 'Hash of the newest event; empty without one.' }),
        brokenAt: z.int().nullable().openapi({ description: 'Sequence of the first event that does not fit.' }),
      }),
      example: { ok: true, events: 17, head: auditEventExample.hash, brokenAt: null },
    },
    handle: async ({ services, options }) => {
      const { ok, events, head, brokenAt } = await services.audit.verifyAuditChain({}, options);
      return { ok, events: Number(events), head, brokenAt: brokenAt > 0n ? Number(brokenAt) : null };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/audit/export',
    operationId: 'exportAudit',
    tag: 'Audit',
    summary: 'All events in the order of their sequence, as JSON lines or CSV',
    audience: 'org-admin',
    cerbos: { resource: 'audit_event', action: 'export' },
    deadlineMs: 60_000,
    list: { fields: auditFields, defaultSort: 'sequence', paged: false },
    choices: { format: ['jsonl', 'csv'] },
    answer: { status: 200, description: 'The events.', media: exportSamples },
    handle: async ({ services, query, chosen, options }) =>
      exportAnswer(services.audit.exportAuditEvents({ query }, options), chosen.format === 'csv' ? 'csv' : 'jsonl'),
  }),
];
