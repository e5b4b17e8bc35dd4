import { LockMode } from '@mikro-orm/postgresql';
import { findById } from '../find-by-id.ts';
import { License } from './license.ts';

/** The license of a tenant that the transaction may see, by the tenant's id. Errors: TENANT_NOT_FOUND. */
export const findLicense = findById(License, 'TENANT_NOT_FOUND');

/** The same, locked until the transaction ends: whoever counts by it or changes it waits. Lock users before it, never after. */
export const lockLicense = findById(License, 'TENANT_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);
