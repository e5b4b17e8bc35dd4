import { invalidField } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import type { Actor } from '@accessops/proto/accessops/common/v1/common_pb';
import { approveRequest } from './approve-request.ts';
import { closeRequest } from './close-request.ts';
import { findRequest } from './find-request.ts';

/** The outcome of an approval, and whose vote settled it. */
export interface Outcome {
  id: string;
  outcome: string;
  decider: Actor | undefined;
}

/** Turns the outcome of an approval into the request's state, unless it has another one already. Errors: REQUEST_NOT_FOUND, INVALID_FIELDS. */
export const settleRequest = async (ctx: WriteContext, { id, outcome, decider }: Outcome): Promise<void> => {
  await findRequest(ctx, id);
  if (outcome === 'APPROVED') await approveRequest(ctx, id, decider);
  else if (outcome === 'REJECTED') await closeRequest(ctx, id, 'REJECTED', decider);
  else throw invalidField('/outcome', 'must be APPROVED or REJECTED');
};
