import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { type FilterQuery, raw } from '@mikro-orm/postgresql';
import { ApprovalCase } from './approval-case.ts';
import { keysOfApprover } from './stage.ts';

const definition: ListDefinition<ApprovalCase> = {
  entity: ApprovalCase,
  fields: {
    requestId: { type: 'uuid' },
    status: { type: 'text' },
    requesterId: { type: 'uuid' },
    requesterEmail: { type: 'text' },
    resourceId: { type: 'uuid' },
    role: { type: 'text' },
    createdAt: { type: 'time' },
  },
  key: 'requestId',
  defaultSort: '-createdAt',
};

/** Cases in which the caller's vote would bring something: somebody else's (no machine's that the caller may act as), open to the caller's roles or teams, not voted on yet. */
export const listPendingApprovals = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<ApprovalCase>> => {
  const { em, tenantId, principal } = ctx;
  await ctx.authorize('approval', 'list_pending', { tenantId });
  const mine = keysOfApprover({ ...principal, teamIds: principal.teams.map(({ id }) => id) });
  const notVotedOn = raw(
    (alias) => `not exists (select 1 from vote where vote.tenant_id = ? and vote.request_id = ${alias}.request_id and vote.decider_id = ?)`,
    [tenantId, principal.id],
  );
  const notMyMachines = raw(
    (
      alias,
    ) => `not exists (select 1 from service_account s where s.tenant_id = ? and s.id = ${alias}.requester_id and ? = any(s.custodian_ids))
      and not (? = any(coalesce(${alias}.custodian_ids, '{}')))`,
    [tenantId, principal.id, principal.id],
  );
  const where = {
    status: 'PENDING',
    requesterId: { $ne: principal.id },
    openTo: { $overlap: mine },
    [notVotedOn]: [],
    [notMyMachines]: [],
  };
  return listPage(em, definition, query, where as FilterQuery<ApprovalCase>);
};
