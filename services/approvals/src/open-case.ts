import type { EntityManager } from '@mikro-orm/postgresql';
import { freshStage, keysOfOpen } from './approval-case.ts';
import type { Submission } from './submission.ts';

/**
 * Opens the case of a request. A vote that was faster has opened it without knowing the requester's address, and the end of the
 * request may have been heard of first: what is missing is filled in, what has been decided stays.
 */
export const openCase = async (em: EntityManager, tenantId: string, submission: Submission): Promise<void> => {
  const stages = submission.stages.map(freshStage);
  await em.execute(
    `insert into approval_case as known (request_id, tenant_id, requester_id, requester_email, resource_id, role, justification, duration,
                                         stages, open_to, status, created_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, array(select jsonb_array_elements_text(?)), 'PENDING', ?)
     on conflict (request_id) do update set
       requester_id = excluded.requester_id, requester_email = excluded.requester_email, resource_id = excluded.resource_id,
       role = excluded.role, justification = excluded.justification, duration = excluded.duration, created_at = excluded.created_at,
       stages = case known.stages when '[]' then excluded.stages else known.stages end,
       open_to = case known.stages when '[]' then excluded.open_to else known.open_to end
     where known.requester_email = ''`,
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
