import { executePrepared } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';
import { freshStage, keysOfOpen } from './approval-case.ts';
import type { Submission } from './submission.ts';

const insert = `insert into approval_case as known (request_id, tenant_id, requester_id, requester_email, custodian_ids, resource_id, role, justification,
                                                    duration, stages, open_to, status, created_at)
  select id, $1, requester, email, array(select jsonb_array_elements_text(custodians)), resource, role, justification, duration, stages,
         array(select jsonb_array_elements_text(open_to)), 'PENDING', at
  from json_to_recordset($2) as s (id uuid, requester uuid, email text, custodians jsonb, resource uuid, role text, justification text, duration text,
                                  stages jsonb, open_to jsonb, at timestamptz)
  on conflict (request_id) do update set
    requester_id = excluded.requester_id, requester_email = excluded.requester_email, custodian_ids = excluded.custodian_ids, resource_id = excluded.resource_id,
    role = excluded.role, justification = excluded.justification, duration = excluded.duration, created_at = excluded.created_at,
    stages = case known.stages when '[]' then excluded.stages else known.stages end,
    open_to = case known.stages when '[]' then excluded.open_to else known.open_to end
  where known.requester_email = ''`;

const rowOf = (submission: Submission) => {
  const stages = submission.stages.map(freshStage);
  return {
    id: submission.requestId,
    requester: submission.requesterId,
    email: submission.requesterEmail,
    custodians: submission.custodianIds,
    resource: submission.resourceId,
    role: submission.role,
    justification: submission.justification,
    duration: submission.duration,
    stages,
    open_to: keysOfOpen(stages),
    at: submission.createdAt,
  };
};

/**
 * Opens the cases of requests. A vote that was faster has opened one without knowing the requester's address, and the end of a
 * request may have been heard of first: what is missing is filled in, what has been decided stays.
 */
export const openCases = async (em: EntityManager, tenantId: string, submissions: Submission[]): Promise<void> => {
  // A message that came twice would have one statement write one row twice, which PostgreSQL refuses.
  const rows = new Map(submissions.map((submission) => [submission.requestId, rowOf(submission)]));
  await executePrepared(em, insert, [tenantId, JSON.stringify([...rows.values()])]);
};
