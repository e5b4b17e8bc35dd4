import type { Report } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { timeOf, timeOrNull } from './proto.ts';

export const reportKind = z.enum(['grants', 'jobs']).openapi({
  description: '`grants`: who had what, from when to when. `jobs`: what was done, and what came of it.',
});
export const reportFormat = z.enum(['csv', 'json']);

export const reportSchema = z
  .object({
    id: id('The report.'),
    jobId: id('The job that makes it.'),
    kind: reportKind,
    format: reportFormat,
    from: time.nullable().openapi({ description: 'Null: from the beginning.' }),
    to: time,
    status: z.enum(['PENDING', 'READY', 'FAILED', 'EXPIRED']),
    requestedBy: id('Who has asked for it.'),
    rows: z.int().nullable().openapi({ description: 'How many lines the file has.' }),
    bytes: z.int().nullable(),
    createdAt: time,
    finishedAt: time.nullable(),
    expiresAt: time.openapi({ description: 'When the file is removed.' }),
  })
  .openapi('Report');

type ReportJson = z.infer<typeof reportSchema>;

export const reportExample: ReportJson = {
  id: exampleId,
  jobId: '0192f0c1-7777-7b4d-8c6f-2a9d1e4b7c37',
  kind: 'grants',
  format: 'csv',
  from: '2026-11-01T00:00:00.000Z',
  to: exampleTime,
  status: 'READY',
  requestedBy: '0192f0c1-2222-7b4d-8c6f-2a9d1e4b7c32',
  rows: 17,
  bytes: 4211,
  createdAt: exampleTime,
  finishedAt: '2026-11-21T09:30:01.000Z',
  expiresAt: '2026-12-21T09:30:01.000Z',
};

/** A report as the API shows it. */
export const reportJson = (report: Report): ReportJson => {
  const isReady = report.status === 'READY';
  return {
    id: report.id,
    jobId: report.jobId,
    kind: report.kind as ReportJson['kind'],
    format: report.format as ReportJson['format'],
    from: timeOrNull(report.since),
    to: timeOf(report.until),
    status: report.status as ReportJson['status'],
    requestedBy: report.requestedBy,
    rows: isReady ? report.rows : null,
    bytes: isReady ? Number(report.bytes) : null,
    createdAt: timeOf(report.createdAt),
    finishedAt: timeOrNull(report.finishedAt),
    expiresAt: timeOf(report.expiresAt),
  };
};
