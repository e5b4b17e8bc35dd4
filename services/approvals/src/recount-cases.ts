import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { ApprovalCase } from './approval-case.ts';
import { Person } from './person.ts';
import { Vote } from './vote.ts';

/**
 * Counts the waiting cases again in which somebody has voted who has changed, so that a place that became free is asked for again.
 * Never decides a case, though a vote that counts again may complete it: access follows a vote, not a change of somebody's roles.
 */
export const recountCases = async (em: EntityManager, tenantId: string, personId: string): Promise<void> => {
  const touched = await em.execute<{ request_id: string }[]>(
    `select request_id from vote join approval_case using (tenant_id, request_id)
     where vote.tenant_id = ? and decider_id = ? and status = 'PENDING' order by request_id`,
    [tenantId, personId],
  );
  for (const { request_id: requestId } of touched) {
    // Read anew: what this unit of work has seen before may be older than the lock.
    const found = await em.findOne(ApprovalCase, { requestId, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
    if (!found) continue;
    const votes = await em.find(Vote, { tenantId, requestId }, { orderBy: { decidedAt: 'asc', deciderId: 'asc' }, refresh: true });
    const people = await em.find(Person, { tenantId, id: { $in: votes.map(({ deciderId }) => deciderId) } }, { refresh: true });
    found.count(votes, people);
  }
  await em.flush();
};
