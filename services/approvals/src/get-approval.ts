import { AppError } from '@accessops/errors';
import type { Call } from '@accessops/service';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ApprovalCase } from './approval-case.ts';
import type { Arbiter } from './arbiter.ts';
import { custodiansOf } from './custodians-of.ts';
import { isId } from './id.ts';
import { Person } from './person.ts';
import { attributesOf } from './policy-attributes.ts';
import { unopenedCase } from './submission.ts';
import { Vote } from './vote.ts';

/** A case with everything that belongs to it. */
export interface ApprovalDetails {
  found: ApprovalCase;
  votes: Vote[];
  /** Who can still decide; at most a hundred. */
  candidates: Person[];
}

const maxCandidates = 100;

const candidatesFor = async (em: EntityManager, found: ApprovalCase, votes: Vote[]) => {
  const { tenantId, requesterId, status, stages } = found;
  const open = stages.filter((stage) => status === 'PENDING' && stage.open);
  if (open.length === 0) return [];
  const roles = open.flatMap((stage) => stage.roles);
  const teams = open.flatMap(({ teamId }) => teamId || []);
  const out = [requesterId, ...(await custodiansOf(em, found)), ...votes.map(({ deciderId }) => deciderId)];
  const fit = [{ orgRoles: { $overlap: roles } }, { teamIds: { $overlap: teams } }];
  const where = { tenantId, active: true, id: { $nin: out }, $or: fit };
  return em.find(Person, where, { orderBy: { email: 'asc' }, limit: maxCandidates });
};

/**
 * One case, for the requester, those its plan names, admins and auditors. What has not arrived here yet is read from `requests`.
 * Errors: REQUEST_NOT_FOUND, PERMISSION_DENIED.
 */
export const getApproval = async (call: Call, arbiter: Arbiter, requestId: string): Promise<ApprovalDetails> => {
  const { tenantId } = call;
  if (!isId(requestId)) throw new AppError('REQUEST_NOT_FOUND');
  const known = await call.read(({ em }) => em.findOne(ApprovalCase, { requestId }));
  const found = known && known.stages.length > 0 ? known : unopenedCase(tenantId, await arbiter.find(call, requestId));
  await call.authorize('approval', 'read', attributesOf(tenantId, found));
  return call.read(async ({ em }) => {
    const votes = await em.find(Vote, { tenantId, requestId }, { orderBy: { decidedAt: 'asc', deciderId: 'asc' } });
    return { found, votes, candidates: await candidatesFor(em, found, votes) };
  });
};
