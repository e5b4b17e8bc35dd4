import { emit, type WriteContext } from '@accessops/events';
import { RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { changed } from '../changes.ts';
import type { AccessRequest } from './access-request.ts';
import { findRequest } from './find-request.ts';
import type { RequestStatus } from './request-status.ts';

const actions: Partial<Record<RequestStatus, string>> = {
  PROVISIONING: 'REQUEST_PROVISIONING',
  ACTIVE: 'REQUEST_ACTIVATED',
  EXPIRED: 'REQUEST_EXPIRED',
  REVOKED: 'REQUEST_REVOKED',
  FAILED: 'REQUEST_FAILED',
};

/**
 * Takes in what provisioning tells of a request, and tells of its new state when it has one. The row is locked, and its update
 * asks for the version that was read. Errors: REQUEST_NOT_FOUND.
 */
export const progressRequest = async (ctx: WriteContext, id: string, apply: (request: AccessRequest) => boolean): Promise<void> => {
  const request = await findRequest(ctx, id, { forUpdate: true });
  const before = { status: request.status, jobId: request.jobId, grantId: request.grantId };
  if (!apply(request)) return;
  request.updatedAt = ctx.now();
  const { status, jobId, grantId } = request;
  emit(ctx, RequestProgressedSchema, { requestId: id, status }, id, {
    action: actions[status] ?? `REQUEST_${status}`,
    entityType: 'REQUEST',
    entityId: id,
    changes: changed(before, { status, jobId, grantId }),
  });
};
