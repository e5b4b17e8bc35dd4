import { findById } from './find-by-id.ts';
import { Tenant } from './tenant.ts';

/** A tenant that the transaction may see. Errors: TENANT_NOT_FOUND. */
export const findTenant = findById(Tenant, 'TENANT_NOT_FOUND');
