import type { Stage } from './stage.ts';

/** What policies ask about an approval: who filed the request and whom its plan names. */
export const attributesOf = (tenantId: string, { requesterId, stages }: { requesterId: string; stages: Stage[] }) => ({
  tenantId,
  requesterId,
  stageRoles: [...new Set(stages.flatMap(({ roles }) => roles))],
  stageTeams: [...new Set(stages.flatMap(({ teamId }) => teamId || []))],
});
