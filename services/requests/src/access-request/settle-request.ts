import type { CallFunction } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { eventFrom, type WriteContext } from '@accessops/events';
import type { Actor } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Offers } from '../catalog/offers.ts';
import type { RequestView } from './access-request.ts';
import { approval } from './approval.ts';
import { closure } from './closure.ts';
import { outgoingEvents } from './outgoing-events.ts';
import { readRequest } from './read-request.ts';
import { type SeenRequests, seenKey } from './seen-requests.ts';

/** The outcome of an approval, and whose vote settled it. */
export interface Outcome {
  id: string;
  outcome: string;
  decider: Actor | undefined;
}

type Teller = Omit<WriteContext, 'em'>;

/** What is told of an outcome, and the offer that it was made from. */
const tellingOf = async (teller: Teller, { database, offers }: Settling, request: RequestView, { outcome, decider }: Outcome) => {
  if (outcome === 'REJECTED') return { event: eventFrom(teller, ...closure(request.id, 'REJECTED', decider)), offer: undefined };
  const offer = await offers.find(database, teller.tenantId, request.resourceId);
  return { event: eventFrom(teller, ...approval(request, offer, decider)), offer };
};

/** What settling needs besides the teller. */
export interface Settling {
  database: CallFunction;
  offers: Offers;
  seen: SeenRequests;
}

/**
 * Turns the outcome of an approval into the request's state and tells of it, unless the request has another state already;
 * answers it as it is then. Of this and a cancel the database lets one through. One round trip when the request was seen lately.
 * Errors: REQUEST_NOT_FOUND, INVALID_FIELDS.
 */
export const settleRequest = async (teller: Teller, settling: Settling, decision: Outcome): Promise<RequestView> => {
  const { id, outcome } = decision;
  if (outcome !== 'APPROVED' && outcome !== 'REJECTED') throw invalidField('/outcome', 'must be APPROVED or REJECTED');
  const { tenantId } = teller;
  const { database, offers, seen } = settling;
  const known = seen.get(seenKey(tenantId, id));
  let request = known?.status === 'PENDING' ? known : await readRequest(database, tenantId, id);
  for (let attempt = 1; attempt <= 5 && request.status === 'PENDING'; attempt++) {
    const { event, offer } = await tellingOf(teller, settling, request, decision);
    const updatedAt = teller.now();
    const versions = [offer?.resourceVersion ?? null, offer?.typeVersion ?? null];
    const values = [tenantId, request.id, outcome, ...versions, updatedAt, outgoingEvents([event])];
    const [answer] = await database<{ settle_request: number | null }>('settle_request', values);
    if (answer?.settle_request) return { ...request, status: outcome, version: answer.settle_request, updatedAt };
    offers.forget(tenantId, request.resourceId);
    request = await readRequest(database, tenantId, id);
  }
  if (request.status === 'PENDING') throw new AppError('VERSION_CONFLICT');
  return request;
};
