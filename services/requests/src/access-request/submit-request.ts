import { newId, onUnique } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { findResource } from '../catalog/find-resource.ts';
import { parseParameters } from '../catalog/parameters-schema.ts';
import { noTeam } from '../catalog/resource.ts';
import { created } from '../changes.ts';
import { parseDurationUpTo } from '../duration.ts';
import { parseFields } from '../parse-fields.ts';
import { parseOptionalText, parseText } from '../text.ts';
import { AccessRequest } from './access-request.ts';
import { approvalPlan, requiredApprovals } from './approval-plan.ts';
import { approveRequest } from './approve-request.ts';
import { findRequest } from './find-request.ts';

export interface NewRequest {
  resourceId: string;
  role: string;
  justification: string;
  /** ISO 8601. */
  duration: string;
  /** JSON text; empty: none. */
  parameters: string;
  ticket: string;
}

export const submitRequest = async (ctx: Ctx, input: NewRequest): Promise<AccessRequest> => {
  const { em, tenantId, principal } = ctx;
  const { id: resourceId, type, owningTeamId } = await findResource(ctx, input.resourceId);
  const { duration, ...fields } = parseFields({
    role: () => {
      if (!type.roles.includes(input.role)) throw invalidField('/role', `must be one of: ${type.roles.join(', ')}`);
      return input.role;
    },
    justification: () => parseText('/justification', input.justification, 2000),
    duration: () => parseDurationUpTo('/duration', input.duration, type.longest()),
    parameters: () => parseParameters(type.parametersSchema, input.parameters),
    ticket: () => parseOptionalText('/ticket', input.ticket, 200),
  });
  const { outputs } = await ctx.authorize('access_request', 'create', {
    tenantId,
    sensitivity: type.sensitivity,
    pii: type.pii,
    durationSeconds: duration.seconds,
    maxDurationSeconds: type.longest().seconds,
    owningTeamId: owningTeamId === noTeam ? '' : owningTeamId,
    role: fields.role,
  });
  const { stages, maxDurationSeconds } = approvalPlan(outputs);
  if (duration.seconds > maxDurationSeconds) throw invalidField('/duration', `must be at most ${maxDurationSeconds} seconds`);
  const now = ctx.now();
  const id = newId();
  em.create(AccessRequest, {
    ...fields,
    id,
    tenantId,
    requesterId: principal.id,
    resourceId,
    duration: duration.iso,
    status: 'PENDING',
    stages,
    requiredApprovals: requiredApprovals(stages),
    jobId: null,
    grantId: null,
    retryBalance: 0,
    withdrawnAt: null,
    createdAt: now,
    updatedAt: now,
  });
  await em.flush().catch(onUnique({ access_request_open: 'REQUEST_ALREADY_OPEN' }));
  emit(
    ctx,
    RequestSubmittedSchema,
    {
      requestId: id,
      requesterId: principal.id,
      requesterEmail: principal.email,
      resourceId,
      role: fields.role,
      justification: fields.justification,
      duration: duration.iso,
      stages,
      submittedAt: timestampFromDate(now),
    },
    id,
    {
      action: 'REQUEST_CREATED',
      entityType: 'REQUEST',
      entityId: id,
      changes: created({ status: 'PENDING', resourceId, role: fields.role, duration: duration.iso }),
    },
  );
  if (stages.length === 0) await approveRequest(ctx, id, { id: 'requests', type: 'system' });
  return findRequest(ctx, id);
};
