import type { CallFunction } from '@accessops/db';
import { newId } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { type Event, eventFrom } from '@accessops/events';
import { RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Call } from '@accessops/service';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Offer, Offers } from '../catalog/offers.ts';
import { parseParameters } from '../catalog/parameters-schema.ts';
import { noTeam } from '../catalog/resource.ts';
import { created } from '../changes.ts';
import { parseDurationUpTo } from '../duration.ts';
import { parseFields } from '../parse-fields.ts';
import { parseOptionalText, parseText } from '../text.ts';
import type { RequestView } from './access-request.ts';
import { approval } from './approval.ts';
import { approvalPlan, requiredApprovals } from './approval-plan.ts';
import { type Filing, fileRequest } from './file-request.ts';
import { recordedTrace } from './request-trace.ts';

/** What somebody asks for. */
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

const parseRequest = (input: NewRequest, { roles, longest, parametersSchema }: Offer) =>
  parseFields({
    role: () => {
      if (!roles.includes(input.role)) throw invalidField('/role', `must be one of: ${roles.join(', ')}`);
      return input.role;
    },
    justification: () => parseText('/justification', input.justification, 2000),
    duration: () => parseDurationUpTo('/duration', input.duration, longest),
    parameters: () => parseParameters(parametersSchema, input.parameters),
    ticket: () => parseOptionalText('/ticket', input.ticket, 200),
  });

/** Asks policy whether the caller may file this, and by which plan. */
export const planOf = async (call: Call, offer: Offer, role: string, durationSeconds: number) => {
  const { outputs } = await call.authorize('access_request', 'create', {
    tenantId: call.tenantId,
    sensitivity: offer.sensitivity,
    pii: offer.pii,
    durationSeconds,
    maxDurationSeconds: offer.longest.seconds,
    owningTeamId: offer.owningTeamId === noTeam ? '' : offer.owningTeamId,
    role,
  });
  const { stages, maxDurationSeconds } = approvalPlan(outputs);
  if (durationSeconds > maxDurationSeconds) throw invalidField('/duration', `must be at most ${maxDurationSeconds} seconds`);
  return stages;
};

/** What those who decide are to be told will happen; without stages nobody decides. */
const wouldProvision = (request: RequestView, { resourceKey, connector, config }: Offer) =>
  request.stages.length > 0 && { resourceKey, connector, configJson: config, parametersJson: request.parameters };

const submitted = (call: Call, request: RequestView, offer: Offer): Event =>
  eventFrom(
    call,
    RequestSubmittedSchema,
    {
      requestId: request.id,
      requesterId: request.requesterId,
      requesterEmail: call.principal.email,
      custodianIds: request.custodianIds ?? [],
      resourceId: request.resourceId,
      extendsRequestId: request.extendsRequestId ?? '',
      role: request.role,
      justification: request.justification,
      duration: request.duration,
      stages: request.stages,
      submittedAt: timestampFromDate(request.createdAt),
      ...wouldProvision(request, offer),
    },
    request.id,
    {
      action: 'REQUEST_CREATED',
      entityType: 'REQUEST',
      entityId: request.id,
      changes: created({ status: 'PENDING', resourceId: request.resourceId, role: request.role, duration: request.duration }),
    },
  );

/** What the caller asks for, checked. */
export type Wish = Pick<
  RequestView,
  'resourceId' | 'extendsRequestId' | 'role' | 'justification' | 'duration' | 'parameters' | 'ticket' | 'stages'
>;

/** A request that is new, and what is told of it. */
export const filingOf = (call: Call, offer: Offer, wish: Wish): Filing => {
  const { stages } = wish;
  const now = call.now();
  const request: RequestView = {
    ...wish,
    id: newId(),
    status: stages.length === 0 ? 'APPROVED' : 'PENDING',
    requesterId: call.principal.id,
    custodianIds: call.principal.type === 'service-account' ? call.principal.custodianIds : null,
    requiredApprovals: requiredApprovals(stages),
    jobId: null,
    grantId: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // Without stages nobody decides: it is approved by the service that knows the plan, and both steps are told.
  const events = [
    submitted(call, request, offer),
    ...(stages.length === 0 ? [eventFrom(call, ...approval(request, offer, { id: 'requests', type: 'system' }))] : []),
  ];
  return { tenantId: call.tenantId, request, offer, events, traceparent: recordedTrace(call) };
};

/**
 * Files a request with the plan that policy gives it; with no stages it is approved at once. One round trip when the offer is known.
 * Errors: RESOURCE_NOT_FOUND, INVALID_FIELDS, PERMISSION_DENIED, REQUEST_ALREADY_OPEN.
 */
export const submitRequest = async (call: Call, database: CallFunction, offers: Offers, input: NewRequest): Promise<RequestView> => {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const offer = await offers.find(database, call.tenantId, input.resourceId);
    const { duration, ...fields } = parseRequest(input, offer);
    const stages = await planOf(call, offer, fields.role, duration.seconds);
    const resourceId = input.resourceId.toLowerCase();
    const filing = filingOf(call, offer, { ...fields, resourceId, extendsRequestId: null, duration: duration.iso, stages });
    if (await fileRequest(database, filing)) return filing.request;
    offers.forget(call.tenantId, input.resourceId);
  }
  throw new AppError('VERSION_CONFLICT');
};
