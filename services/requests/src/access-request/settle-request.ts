import type { CallFunction } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import { type Event, eventFrom, type WriteContext } from '@accessops/events';
import type { Actor } from '@accessops/proto/accessops/common/v1/common_pb';
import type { RequestView } from './access-request.ts';
import { approval } from './approval.ts';
import { closure } from './closure.ts';
import { outgoingEvents } from './outgoing-events.ts';
import { readRequest } from './read-request.ts';

/** The outcome of an approval, and whose vote settled it. */
export interface Outcome {
  id: string;
  outcome: string;
  decider: Actor | undefined;
}

type Teller = Omit<WriteContext, 'em'>;

const approved = async (teller: Teller, database: CallFunction, request: RequestView, decider: Actor | undefined): Promise<Event> => {
  const [target] = await database<{ key: string; connector: string; config: string }>('read_offer', [teller.tenantId, request.resourceId]);
  if (!target) throw new AppError('RESOURCE_NOT_FOUND');
  return eventFrom(teller, ...approval(request, { resourceKey: target.key, connector: target.connector, config: target.config }, decider));
};

/**
 * Turns the outcome of an approval into the request's state and tells of it, unless the request has another state already;
 * answers it as it is then. Of this and a cancel the database lets one through. Errors: REQUEST_NOT_FOUND, INVALID_FIELDS.
 */
export const settleRequest = async (teller: Teller, database: CallFunction, { id, outcome, decider }: Outcome): Promise<RequestView> => {
  if (outcome !== 'APPROVED' && outcome !== 'REJECTED') throw invalidField('/outcome', 'must be APPROVED or REJECTED');
  const { tenantId } = teller;
  const request = await readRequest(database, tenantId, id);
  if (request.status !== 'PENDING') return request;
  const event =
    outcome === 'APPROVED'
      ? await approved(teller, database, request, decider)
      : eventFrom(teller, ...closure(request.id, 'REJECTED', decider));
  const updatedAt = teller.now();
  const values = [tenantId, request.id, outcome, updatedAt, outgoingEvents([event])];
  const [answer] = await database<{ settle_request: boolean }>('settle_request', values);
  if (!answer?.settle_request) return readRequest(database, tenantId, id);
  return { ...request, status: outcome, version: request.version + 1, updatedAt };
};
