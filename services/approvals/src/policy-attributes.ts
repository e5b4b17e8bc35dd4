import type { Stage } from './stage.ts';

/** What policies ask about an approval: who filed the request, or might have as the service account that did, whom its plan names, and how sure of them it wants to be. */
export const attributesOf = (
  tenantId: string,
  { requesterId, custodianIds, stages }: { requesterId: string; custodianIds?: string[] | null; stages: Stage[] },
) => ({
  tenantId,
  requesterId,
  custodianIds: custodianIds ?? [],
  stageRoles: [...new Set(stages.flatMap(({ roles }) => roles))],
  stageTeams: [...new Set(stages.flatMap(({ teamId }) => teamId || []))],
  acr: stages.find(({ acr }) => acr)?.acr ?? '',
});
