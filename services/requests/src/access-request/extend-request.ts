import { callWithin } from '@accessops/db';
import { AppError, invalidField } from '@accessops/errors';
import type { Call, Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import type { Offer, Offers } from '../catalog/offers.ts';
import { type Duration, parseDuration } from '../duration.ts';
import { AccessRequest, attributesOf, type RequestView } from './access-request.ts';
import { fileRequest } from './file-request.ts';
import { findRequest } from './find-request.ts';
import { filingOf, planOf } from './submit-request.ts';

/** The request that led to access, and how long it and its extensions last together. */
const accessOf = async ({ em }: Ctx, request: AccessRequest): Promise<{ first: AccessRequest; seconds: number }> => {
  const id = request.extendsRequestId ?? request.id;
  // Held until the extension is filed: the end of the access either finds it, or has come before.
  const first = await em.findOneOrFail(AccessRequest, { id }, { lockMode: LockMode.PESSIMISTIC_READ, refresh: true });
  if (first.status !== 'ACTIVE' || first.withdrawnAt) throw new AppError('REQUEST_NOT_ACTIVE');
  const extensions = await em.find(AccessRequest, { tenantId: first.tenantId, extendsRequestId: id, status: 'ACTIVE' });
  const seconds = [first, ...extensions].reduce((sum, { duration }) => sum + parseDuration('/duration', duration).seconds, 0);
  return { first, seconds };
};

const checkLength = (wanted: Duration, before: number, { longest }: Offer): void => {
  if (before + wanted.seconds > longest.seconds)
    throw invalidField(
      '/duration',
      `must be at most PT${Math.max(longest.seconds - before, 0)}S: access lasts ${longest.iso} at the longest`,
    );
};

/**
 * Files a request that has the caller's active access last longer, decided on as one for the whole time would be: neither the longest
 * duration nor an approval can be got round in small pieces. The access stays as it is until then. One can be open at a time, as of any
 * request. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_ACTIVE, REQUEST_ALREADY_OPEN, RESOURCE_NOT_FOUND, INVALID_FIELDS, PERMISSION_DENIED.
 */
export const extendRequest = async (call: Call, ctx: Ctx, offers: Offers, id: string, duration: string): Promise<RequestView> => {
  const request = await findRequest(ctx, id);
  await ctx.authorize('access_request', 'extend', attributesOf(request));
  const wanted = parseDuration('/duration', duration);
  const { first, seconds } = await accessOf(ctx, request);
  const { resourceId, role, justification, parameters, ticket } = first;
  const database = callWithin(ctx.em);
  for (let attempt = 1; attempt <= 5; attempt++) {
    const offer = await offers.find(database, call.tenantId, resourceId);
    checkLength(wanted, seconds, offer);
    const stages = await planOf(call, offer, role, seconds + wanted.seconds);
    const wish = { resourceId, extendsRequestId: first.id, role, justification, duration: wanted.iso, parameters, ticket, stages };
    const filing = filingOf(call, offer, wish);
    if (await fileRequest(database, filing)) return filing.request;
    offers.forget(call.tenantId, resourceId);
  }
  throw new AppError('VERSION_CONFLICT');
};
