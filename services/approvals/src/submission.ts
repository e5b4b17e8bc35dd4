import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { ApprovalCase, type CaseStatus, freshStage, keysOfOpen } from './approval-case.ts';
import type { Stage } from './stage.ts';

/** A request that is put to the vote, as its event or `requests` itself tells it. */
export interface Submission {
  requestId: string;
  requesterId: string;
  /** Empty: not known here yet. */
  requesterEmail: string;
  /** Of a service account's request: who might have filed it as the account. */
  custodianIds: string[];
  resourceId: string;
  role: string;
  justification: string;
  duration: string;
  stages: Stage[];
  createdAt: Date;
}

/** A request as `requests` answers it, which does not tell the requester's address. */
export const submissionOf = (request: AccessRequest, requesterEmail = ''): Submission => {
  const { id: requestId, requesterId, custodianIds, resourceId, role, justification, duration, stages, createdAt } = request;
  const at = createdAt ? timestampDate(createdAt) : new Date(0);
  return { requestId, requesterId, requesterEmail, custodianIds, resourceId, role, justification, duration, stages, createdAt: at };
};

const statusOf = ({ status }: AccessRequest): CaseStatus => {
  if (status === 'PENDING' || status === 'REJECTED') return status;
  return status === 'CANCELLED' || status === 'LAPSED' ? 'CANCELLED' : 'APPROVED';
};

/** What can be said of a request whose case is not here (yet): its event is on the way, or it needed nobody's approval. */
export const unopenedCase = (tenantId: string, request: AccessRequest): ApprovalCase => {
  const submission = submissionOf(request);
  const stages = submission.stages.map(freshStage);
  // Version 0: nothing is stored of it.
  const rest = { tenantId, stages, openTo: keysOfOpen(stages), status: statusOf(request), decidedAt: null, version: 0 };
  return Object.assign(new ApprovalCase(), submission, rest);
};
