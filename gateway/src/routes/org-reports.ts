import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { isMoment } from '../moment.ts';
import { reportFile } from '../report-file.ts';
import { reportExample, reportFormat, reportJson, reportKind, reportSchema } from '../representations/report.ts';

const moment = z.iso
  .datetime({ offset: true, precision: undefined })
  .transform((text) => new Date(text))
  .refine(isMoment, 'must be in the years 1 to 9999')
  .transform(timestampFromDate);

const wanted = z.strictObject({
  kind: reportKind,
  format: reportFormat,
  from: moment.optional().openapi({ type: 'string', format: 'date-time', description: 'From the beginning when left out.' }),
  to: moment.optional().openapi({ type: 'string', format: 'date-time', description: 'Up to now when left out.' }),
});

const pending = { ...reportExample, status: 'PENDING' as const, rows: null, bytes: null, finishedAt: null };

/** Files about what happened in the tenant. */
export const orgReportRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/org/reports',
    operationId: 'requestReport',
    tag: 'Reports',
    summary: 'Have a report made',
    description:
      'A job makes the file, which is kept for 30 days. Grants count when they were in force between `from` and `to`, jobs when they were made then.',
    audience: 'org-admin',
    cerbos: { resource: 'report', action: 'create' },
    body: { schema: wanted, example: { kind: 'grants', format: 'csv', from: '2026-11-01T00:00:00Z' } },
    answer: { status: 201, description: 'The report, and the job that makes it.', schema: reportSchema, example: pending },
    errors: ['TOO_MANY_REPORTS'],
    handle: async ({ services, body: { from: since, to: until, ...what }, options }) =>
      reportJson(await services.provisioner.requestReport({ ...what, since, until }, options)),
  }),
  defineList({
    path: '/api/v1/org/reports',
    operationId: 'listReports',
    tag: 'Reports',
    summary: 'The reports of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'report', action: 'list' },
    list: {
      fields: {
        id: 'uuid',
        jobId: 'uuid',
        kind: 'text',
        format: 'text',
        from: 'time',
        to: 'time',
        status: 'text',
        requestedBy: 'uuid',
        createdAt: 'time',
        finishedAt: 'time',
        expiresAt: 'time',
      },
      defaultSort: '-createdAt',
    },
    item: { schema: reportSchema, example: reportExample },
    handle: async ({ services, query, options }) => pageOf(await services.provisioner.listReports({ query }, options), reportJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/reports/{id}',
    operationId: 'getReport',
    tag: 'Reports',
    summary: 'One report',
    audience: 'org-admin',
    cerbos: { resource: 'report', action: 'read' },
    answer: { status: 200, description: 'The report.', schema: reportSchema, example: reportExample },
    errors: ['REPORT_NOT_FOUND'],
    handle: async ({ services, params, options }) => reportJson(await services.provisioner.getReport({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/reports/{id}/file',
    operationId: 'readReport',
    tag: 'Reports',
    summary: 'The file of a report',
    audience: 'org-admin',
    cerbos: { resource: 'report', action: 'read' },
    deadlineMs: 60_000,
    answer: {
      status: 200,
      description: 'The file: CSV with a head, or a JSON list.',
      media: {
        'text/csv':
          'grantId,requestId,holderId,resourceId,resourceKey,role,status,activatedAt,expiresAt,endedAt,endReason,pricePerHour,currency,cost\r\n',
        'application/json': '[]\n',
      },
    },
    errors: ['REPORT_NOT_FOUND', 'REPORT_NOT_READY', 'REPORT_EXPIRED'],
    handle: async ({ services, params: { id }, options }) =>
      reportFile(await services.provisioner.getReport({ id }, options), services.provisioner.readReport({ id }, options)),
  }),
];
