import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { ApprovalCase } from './approval-case.ts';
import { custodiansOf } from './custodians-of.ts';
import { Person } from './person.ts';
import { Vote } from './vote.ts';

interface Waiting {
  request_id: string;
}

/** Never decides a case, though a vote that counts again may complete it: access follows a vote, not a change of somebody's roles. */
const recount = async (em: EntityManager, tenantId: string, waiting: Waiting[]): Promise<void> => {
  for (const { request_id: requestId } of waiting) {
    // Read anew: what this unit of work has seen before may be older than the lock.
    const found = await em.findOne(ApprovalCase, { requestId, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
    if (!found) continue;
    const votes = await em.find(Vote, { tenantId, requestId }, { orderBy: { decidedAt: 'asc', deciderId: 'asc' }, refresh: true });
    const voters = votes.map(({ deciderId }) => deciderId);
    const custodians = await custodiansOf(em, found);
    found.count(votes, await em.find(Person, { tenantId, id: { $in: voters, $nin: custodians } }, { refresh: true }));
  }
  await em.flush();
};

/** Counts the waiting cases again in which somebody has voted who has changed, so that a place that became free is asked for again. */
export const recountCasesOfVoter = async (em: EntityManager, tenantId: string, personId: string): Promise<void> => {
  const waiting = await em.execute<Waiting[]>(
    `select request_id from vote join approval_case using (tenant_id, request_id)
     where vote.tenant_id = ? and decider_id = ? and status = 'PENDING' order by request_id`,
    [tenantId, personId],
  );
  await recount(em, tenantId, waiting);
};

/** The same for what a service account has asked for, when other people may act as it: their votes do not count there. */
export const recountCasesOfRequester = async (em: EntityManager, tenantId: string, accountId: string): Promise<void> => {
  const waiting = await em.execute<Waiting[]>(
    `select request_id from approval_case where tenant_id = ? and requester_id = ? and status = 'PENDING' order by request_id`,
    [tenantId, accountId],
  );
  await recount(em, tenantId, waiting);
};
