import type { CallFunction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { isId } from '../text.ts';
import type { RequestView } from './access-request.ts';
import type { Stage } from './approval-plan.ts';
import type { RequestStatus } from './request-status.ts';

interface Row {
  requester_id: string;
  resource_id: string;
  role: string;
  justification: string;
  duration: string;
  parameters: string;
  ticket: string;
  status: RequestStatus;
  required_approvals: number;
  stages: Stage[];
  job_id: string | null;
  grant_id: string | null;
  version: number;
  created_ms: number;
  updated_ms: number;
  custodian_ids: string[] | null;
  extends_request_id: string | null;
}

const viewOf = (id: string, row: Row): RequestView => ({
  id: id.toLowerCase(),
  requesterId: row.requester_id,
  custodianIds: row.custodian_ids,
  resourceId: row.resource_id,
  extendsRequestId: row.extends_request_id,
  role: row.role,
  justification: row.justification,
  duration: row.duration,
  parameters: row.parameters,
  ticket: row.ticket,
  status: row.status,
  requiredApprovals: row.required_approvals,
  stages: row.stages,
  jobId: row.job_id,
  grantId: row.grant_id,
  version: row.version,
  createdAt: new Date(row.created_ms),
  updatedAt: new Date(row.updated_ms),
});

/** A request as it is now. The most frequent read of all: one round trip, past the ORM but under the same row-level security. Errors: REQUEST_NOT_FOUND. */
export const readRequest = async (database: CallFunction, tenantId: string, id: string): Promise<RequestView> => {
  const [row] = isId(id) ? await database<Row>('read_request', [tenantId, id]) : [];
  if (!row) throw new AppError('REQUEST_NOT_FOUND');
  return viewOf(id, row);
};
