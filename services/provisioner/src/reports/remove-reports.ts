import { transaction } from '@accessops/db';
import { type Event, emit, unitOfWork } from '@accessops/events';
import type { FileStore } from '@accessops/files';
import { ReportChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { ServiceParts } from '@accessops/service';
import { asService } from '../jobs/job-events.ts';
import { fileOf, type ReportFormat } from './report.ts';

interface Due {
  id: string;
  tenantId: string;
  jobId: string;
  format: ReportFormat;
  origin: Event['origin'];
}

const batchSize = 20;

// A job that is under way may still write the file.
const due = `
  select report.id, report.tenant_id as "tenantId", job_id as "jobId", format, job.origin
  from report join job on job.id = job_id
  where expires_at <= ? and removed_at is null and status in ('SUCCEEDED', 'FAILED') order by expires_at limit ${batchSize}`;

/** Removes files whose time is over, whatever became of their reports; answers whether there may be more. */
export const removeReports = async (
  { orm, outbox, now }: Pick<ServiceParts, 'orm' | 'outbox' | 'now'>,
  store: FileStore,
): Promise<boolean> => {
  const reports = await transaction(orm.em, 'all-tenants', (em) => em.execute<Due[]>(due, [now()]));
  for (const report of reports) {
    await store.remove(fileOf(report));
    await unitOfWork(outbox, 'all-tenants', async (em) => {
      const removed = await em.execute<unknown[]>(
        'update report set removed_at = ? where id = ? and removed_at is null and expires_at <= ? returning 1',
        [now(), report.id, now()],
      );
      if (removed.length === 0) return;
      emit(asService({ em, now }, report), ReportChangedSchema, { reportId: report.id }, report.jobId, {
        action: 'REPORT_EXPIRED',
        entityType: 'REPORT',
        entityId: report.id,
      });
    });
  }
  return reports.length === batchSize;
};
