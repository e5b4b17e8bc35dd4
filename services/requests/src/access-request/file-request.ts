import type { CallFunction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Event } from '@accessops/events';
import type { Offer } from '../catalog/offers.ts';
import type { RequestView } from './access-request.ts';
import { outgoingEvents } from './outgoing-events.ts';

/** A request that is about to be filed, and what is told of it. */
export interface Filing {
  tenantId: string;
  request: RequestView;
  /** What its plan was made for. */
  offer: Offer;
  events: Event[];
  /** The trace in which it is filed; null when nobody records it. */
  traceparent: string | null;
}

/** Stores a request with its events; answers false when the offer is out of date. Errors: REQUEST_ALREADY_OPEN. */
export const fileRequest = async (database: CallFunction, { tenantId, request, offer, events, traceparent }: Filing): Promise<boolean> => {
  const row = {
    id: request.id,
    tenant_id: tenantId,
    requester_id: request.requesterId,
    custodian_ids: request.custodianIds,
    resource_id: request.resourceId,
    extends_request_id: request.extendsRequestId,
    role: request.role,
    justification: request.justification,
    duration: request.duration,
    parameters: request.parameters,
    ticket: request.ticket,
    status: request.status,
    required_approvals: request.requiredApprovals,
    stages: request.stages,
    retry_balance: 0,
    version: request.version,
    created_at: request.createdAt,
    updated_at: request.updatedAt,
    traceparent,
  };
  const values = [JSON.stringify(row), offer.resourceVersion, offer.typeVersion, outgoingEvents(events)];
  const [answer] = await database<{ file_request: 'FILED' | 'STALE' | 'OPEN' }>('file_request', values);
  const outcome = answer?.file_request;
  if (outcome === 'OPEN') throw new AppError('REQUEST_ALREADY_OPEN');
  return outcome === 'FILED';
};
