import { v7 } from 'uuid';

/** A new identifier: UUIDv7 (RFC 9562), so that rows made together lie together in indexes. */
export const newId = (): string => v7();

/** The tenant id of what belongs to no tenant: sessions of platform staff, platform-wide events. */
export const noTenant = '00000000-0000-0000-0000-000000000000';
