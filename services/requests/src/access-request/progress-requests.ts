import { executePrepared } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit, type WriteContext } from '@accessops/events';
import { RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { EntityManager } from '@mikro-orm/postgresql';
import { changed } from '../changes.ts';
import { isId } from '../text.ts';
import { closure } from './closure.ts';
import { RequestProgress } from './request-progress.ts';
import type { RequestStatus } from './request-status.ts';

/** One thing that provisioning tells of a request. */
export interface Step {
  ctx: WriteContext;
  requestId: string;
  /** Answers whether it led to another state. */
  apply(request: RequestProgress): boolean;
}

interface Row {
  id: string;
  status: RequestStatus;
  job_id: string | null;
  grant_id: string | null;
  retry_balance: number;
}

const actions: Partial<Record<RequestStatus, string>> = {
  PROVISIONING: 'REQUEST_PROVISIONING',
  ACTIVE: 'REQUEST_ACTIVATED',
  EXPIRED: 'REQUEST_EXPIRED',
  REVOKED: 'REQUEST_REVOKED',
  FAILED: 'REQUEST_FAILED',
};

// In one order, so that two batches wait for each other instead of for ever.
const lockRows = `select id, status, job_id, grant_id, retry_balance from access_request
  where id = any($1::uuid[]) order by id for update`;

const writeRows = `update access_request r set status = s.status, job_id = s.job_id, grant_id = s.grant_id, retry_balance = s.retry_balance,
    version = r.version + 1, updated_at = $1
  from json_to_recordset($2) as s (id uuid, status text, job_id uuid, grant_id uuid, retry_balance integer) where r.id = s.id and r.id = any($3::uuid[])`;

const lock = async (em: EntityManager, ids: string[]): Promise<Map<string, RequestProgress>> => {
  const rows = await executePrepared<Row>(em, lockRows, [ids]);
  return new Map(
    rows.map((row) => [
      row.id,
      new RequestProgress({ status: row.status, jobId: row.job_id, grantId: row.grant_id, retryBalance: row.retry_balance }),
    ]),
  );
};

const rowOf = (id: string, { status, jobId, grantId, retryBalance }: RequestProgress): Row => ({
  id,
  status,
  job_id: jobId,
  grant_id: grantId,
  retry_balance: retryBalance,
});

/**
 * Takes in what provisioning tells of requests, in order, and tells of their new states when they have one: the rows are locked, and
 * read and written once however much is told. Errors: REQUEST_NOT_FOUND.
 */
export const progressRequests = async (steps: Step[]): Promise<void> => {
  const [first] = steps;
  if (!first) return;
  const { em, now } = first.ctx;
  const requests = await lock(em, [...new Set(steps.map(({ requestId }) => requestId).filter(isId))]);
  for (const { ctx, requestId, apply } of steps) {
    const request = requests.get(requestId);
    if (!request) throw new AppError('REQUEST_NOT_FOUND');
    const before = { status: request.status, jobId: request.jobId, grantId: request.grantId };
    if (!apply(request)) continue;
    const { status, jobId, grantId } = request;
    if (status === 'LAPSED') {
      emit(ctx, ...closure(requestId, status));
      continue;
    }
    emit(ctx, RequestProgressedSchema, { requestId, status }, requestId, {
      action: actions[status] ?? `REQUEST_${status}`,
      entityType: 'REQUEST',
      entityId: requestId,
      changes: changed(before, { status, jobId, grantId }),
    });
  }
  const rows = [...requests].filter(([, request]) => request.isChanged()).map(([id, request]) => rowOf(id, request));
  if (rows.length > 0) await executePrepared(em, writeRows, [now(), JSON.stringify(rows), rows.map(({ id }) => id)]);
};
