import type { Stage } from './stage.ts';

/** What policies ask about an approval: who filed the request, whom its plan names, and how sure of them it wants to be. */
export const attributesOf = (tenantId: string, { requesterId, stages }: { requesterId: string; stages: Stage[] }) => ({
  tenantId,
  requesterId,
  stageRoles: [...new Set(stages.flatMap(({ roles }) => roles))],
  stageTeams: [...new Set(stages.flatMap(({ teamId }) => teamId || []))],
  acr: stages.find(({ acr }) => acr)?.acr ?? '',
});
