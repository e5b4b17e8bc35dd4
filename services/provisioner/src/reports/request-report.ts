import { newId } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { ReportChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { queueJobs } from '../jobs/queue-jobs.ts';
import { expiryOfReport, Report, type ReportFormat, type ReportKind, reportFormats, reportKinds } from './report.ts';

export interface WantedReport {
  kind: string;
  format: string;
  since: Date | null;
  /** Null: up to now. */
  until: Date | null;
}

const oneOf = <T extends string>(pointer: string, values: readonly T[], value: string): T => {
  const found = values.find((one) => one === value);
  if (!found) throw invalidField(pointer, `must be one of ${values.join(', ')}`);
  return found;
};

/** Reports of a tenant that are being made at a time. */
const atOnce = 10;

const requireRoom = async ({ em, tenantId }: Ctx): Promise<void> => {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`reports ${tenantId}`]);
  const [row] = await em.execute<{ open: string }[]>(
    `select count(*) as open from job where tenant_id = ? and kind = 'REPORT' and status in ('QUEUED', 'RUNNING')`,
    [tenantId],
  );
  if (Number(row?.open) >= atOnce) throw new AppError('TOO_MANY_REPORTS');
};

/** Has a report made by a job. Errors: INVALID_FIELDS, TOO_MANY_REPORTS, PERMISSION_DENIED. */
export const requestReport = async (ctx: Ctx, wanted: WantedReport): Promise<Report> => {
  const { em, tenantId } = ctx;
  await ctx.authorize('report', 'create', { tenantId });
  const kind: ReportKind = oneOf('/kind', reportKinds, wanted.kind);
  const format: ReportFormat = oneOf('/format', reportFormats, wanted.format);
  const now = ctx.now();
  const { since } = wanted;
  const until = wanted.until ?? now;
  if (since && since >= until) throw invalidField('/from', 'must be before `to`');
  await requireRoom(ctx);
  const [id, jobId] = [newId(), newId()];
  const requesterId = ctx.principal.id;
  await queueJobs([{ ctx, job: { id: jobId, requestId: null, grantId: null, kind: 'REPORT', requesterId, spec: { reportId: id } } }]);
  await em.execute(
    `insert into report (id, tenant_id, job_id, kind, format, since, until, requested_by, created_at, expires_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [id, tenantId, jobId, kind, format, since, until, requesterId, now, expiryOfReport(now)],
  );
  emit(ctx, ReportChangedSchema, { reportId: id }, jobId, {
    action: 'REPORT_REQUESTED',
    entityType: 'REPORT',
    entityId: id,
    changes: { kind: { after: kind }, format: { after: format }, from: { after: since }, to: { after: until }, jobId: { after: jobId } },
  });
  return em.findOneOrFail(Report, { id, tenantId });
};
