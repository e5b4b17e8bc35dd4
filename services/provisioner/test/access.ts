import { newId } from '@accessops/db';
import type { Access } from '../src/connector.ts';

/** The first attempt at an hour of access of its own, with what a connector is to find in it. */
export const newAccess = (of: Pick<Access, 'resourceKey' | 'role' | 'config'> & Partial<Access>): Access => ({
  key: newId(),
  tenantId: newId(),
  tenantSlug: 'acme',
  holderId: newId(),
  given: false,
  durationMs: 3_600_000,
  now: new Date(),
  parameters: {},
  attempt: 1,
  fence: 1,
  waitingSince: null,
  answer: null,
  savedPlan: null,
  ...of,
});
