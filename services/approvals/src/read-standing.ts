import type { CallFunction } from '@accessops/db';
import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { ApprovalCase, type CaseStatus, type StageProgress } from './approval-case.ts';
import type { Standing } from './cast-vote.ts';
import { Person } from './person.ts';
import { unopenedCase } from './submission.ts';
import { Vote } from './vote.ts';

interface Row {
  status: CaseStatus | null;
  version: number | null;
  stages: StageProgress[] | null;
  votes: Pick<Vote, 'deciderId' | 'verdict' | 'stage'>[];
  people: Pick<Person, 'id' | 'active' | 'orgRoles' | 'teamIds'>[];
  custodians: string[];
}

/** How the case of a request stands, as somebody is about to vote; one round trip. When its event has not come yet, it is as new. */
export const readStanding = async (
  database: CallFunction,
  { tenantId, request, callerId }: { tenantId: string; request: AccessRequest; callerId: string },
): Promise<Standing> => {
  const requestId = request.id;
  const [row] = await database<Row>('read_standing', [tenantId, requestId, callerId, request.requesterId]);
  const known = row?.version ? { tenantId, requestId, status: row.status, version: row.version, stages: row.stages } : undefined;
  return {
    found: known ? Object.assign(new ApprovalCase(), known) : unopenedCase(tenantId, request),
    votes: (row?.votes ?? []).map((vote) => Object.assign(new Vote(), vote)),
    custodians: new Set([...request.custodianIds, ...(row?.custodians ?? [])]),
    people: (row?.people ?? []).map((person) => Object.assign(new Person(), person)),
  };
};
