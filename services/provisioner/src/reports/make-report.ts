import { transaction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import type { FileStore } from '@accessops/files';
import { ReportChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { ServiceParts } from '@accessops/service';
import type { Task } from '../tasks/task.ts';
import { type Line, type PageRow, pagesOf } from './contents.ts';
import { expiryOfReport, fileOf, Report } from './report.ts';
import { writeReport } from './write-report.ts';

/** Makes the file of a report; made again, it takes the place of the former one. */
export const createReportTask = ({ orm, now }: Pick<ServiceParts, 'orm' | 'now'>, store: FileStore): Task => ({
  deadlineMs: 15 * 60_000,
  run: async ({ id: jobId, tenantId }, signal) => {
    const own = { tenantId };
    const report = await transaction(orm.em, own, (em) => em.findOneOrFail(Report, { jobId, tenantId }));
    const read = (sql: string, values: unknown[]) => transaction(orm.em, own, (em) => em.execute<PageRow[]>(sql, values));
    let rows = 0;
    const counted = async function* (): AsyncGenerator<Line[]> {
      for await (const lines of pagesOf(report, read, now)) {
        rows += lines.length;
        yield lines;
      }
    };
    const bytes = await store.put(fileOf(report), writeReport(report, counted()), signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The report could not be written to the store of files', { cause });
    });
    return async (ctx) => {
      // It may be made anew after its time: then it is there again, for another while.
      await ctx.em.execute('update report set rows = ?, bytes = ?, expires_at = ?, removed_at = null where id = ?', [
        rows,
        bytes,
        expiryOfReport(now()),
        report.id,
      ]);
      emit(ctx, ReportChangedSchema, { reportId: report.id }, jobId, {
        action: 'REPORT_MADE',
        entityType: 'REPORT',
        entityId: report.id,
        changes: { rows: { after: rows }, bytes: { after: bytes } },
      });
    };
  },
});
