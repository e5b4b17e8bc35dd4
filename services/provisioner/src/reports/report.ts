import { defineEntity, p } from '@mikro-orm/postgresql';

export const reportKinds = ['grants', 'jobs'] as const;
export type ReportKind = (typeof reportKinds)[number];

export const reportFormats = ['csv', 'json'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export type ReportStatus = 'PENDING' | 'READY' | 'FAILED' | 'EXPIRED';

const ReportSchema = defineEntity({
  name: 'Report',
  tableName: 'report_with_status',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    jobId: p.uuid(),
    kind: p.string().$type<ReportKind>(),
    format: p.string().$type<ReportFormat>(),
    /** What it tells of lies between these times; null: from the beginning. */
    since: p.datetime().nullable(),
    until: p.datetime(),
    requestedBy: p.uuid(),
    rows: p.integer().nullable(),
    bytes: p.bigint('number').nullable(),
    createdAt: p.datetime(),
    /** When its job had ended. */
    finishedAt: p.datetime().nullable(),
    /** When the file goes. */
    expiresAt: p.datetime(),
    status: p.string().$type<ReportStatus>(),
  },
});

/** A file about what happened in a tenant, made by a job. Read only: `status` is the job's, in other words. */
export class Report extends ReportSchema.class {}
ReportSchema.setClass(Report);

const keptMs = 30 * 24 * 3_600_000;

/** When a file goes that is made now. */
export const expiryOfReport = (now: Date): Date => new Date(now.getTime() + keptMs);

/** Where the file of a report is kept. */
export const fileOf = ({ id, tenantId, format }: Pick<Report, 'id' | 'tenantId' | 'format'>) => ({
  tenantId,
  name: `reports/${id}.${format}`,
});
