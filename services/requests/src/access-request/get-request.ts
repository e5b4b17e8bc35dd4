import type { CallFunction } from '@accessops/db';
import type { Call } from '@accessops/service';
import { attributesOf, type RequestView } from './access-request.ts';
import { readRequest } from './read-request.ts';

/** One request, for its owner, its approvers, admin and auditor. Errors: REQUEST_NOT_FOUND, PERMISSION_DENIED. */
export const getRequest = async ({ tenantId, authorize }: Call, database: CallFunction, id: string): Promise<RequestView> => {
  const request = await readRequest(database, tenantId, id);
  await authorize('access_request', 'read', attributesOf({ ...request, tenantId }));
  return request;
};
