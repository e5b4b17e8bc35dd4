import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { validate } from 'uuid';
import { Report } from './report.ts';

/** A report of the caller's tenant. Errors: REPORT_NOT_FOUND, PERMISSION_DENIED. */
export const findReport = async (ctx: Ctx, id: string): Promise<Report> => {
  const { em, tenantId } = ctx;
  await ctx.authorize('report', 'read', { tenantId });
  const report = validate(id) ? await em.findOne(Report, { id, tenantId }) : null;
  if (!report) throw new AppError('REPORT_NOT_FOUND');
  return report;
};
