import type { EntityManager } from '@mikro-orm/postgresql';
import { freshStage, keysOfOpen } from './approval-case.ts';
import type { Submission } from './submission.ts';

/**
 * Opens the case of a request unless there is one. Where only the end of the request was known so far, the case gets what was
 * missing and stays closed.
 */
export const openCase = async (em: EntityManager, tenantId: string, submission: Submission): Promise<void> => {
  const stages = submission.stages.map(freshStage);
  await em.execute(
    `insert into approval_case as known (request_id, tenant_id, requester_id, requester_email, resource_id, role, justification, duration,
                                         stages, open_to, status, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?,
             array(select jsonb_array_elements_text(?)), 'PENDING', ?)
     on conflict (request_id) do update set
       requester_id = excluded.requester_id, requester_email = excluded.requester_email, resource_id = excluded.resource_id,
       role = excluded.role, justification = excluded.justification, duration = excluded.duration, stages = excluded.stages,
       open_to = excluded.open_to, created_at = excluded.created_at, version = known.version + 1
     where known.stages = '[]'`,
    [
      submission.requestId,
      tenantId,
      submission.requesterId,
      submission.requesterEmail,
      submission.resourceId,
      submission.role,
      submission.justification,
      submission.duration,
      JSON.stringify(stages),
      JSON.stringify(keysOfOpen(stages)),
      submission.createdAt,
    ],
  );
};
