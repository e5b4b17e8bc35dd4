import type { WriteContext } from '@accessops/events';
import { raw } from '@mikro-orm/postgresql';
import { AccessRequest } from './access-request.ts';

/**
 * Takes a request from PENDING to another state, or answers false: of everybody who tries, the database lets one through.
 * Cancelling and the outcome of an approval meet here.
 */
export const leavePending = async (
  { em, now }: WriteContext,
  id: string,
  status: 'APPROVED' | 'REJECTED' | 'CANCELLED',
): Promise<boolean> =>
  (await em.nativeUpdate(AccessRequest, { id, status: 'PENDING' }, { status, version: raw('version + 1'), updatedAt: now() })) === 1;
