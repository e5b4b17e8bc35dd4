import { noTenant } from '@accessops/db';
import { invalidField } from '@accessops/errors';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Settings } from './settings/settings.ts';

/** Those who have a say in a person's password, address and sessions; where there is no tenant, the platform has it. */
const sayOf = (tenantIds: readonly string[]): readonly string[] => (tenantIds.length > 0 ? tenantIds : [noTenant]);

/** How many characters a new password must have for somebody in these tenants: as many as the strictest of them wants. */
export const passwordLengthIn = async (em: EntityManager, settings: Settings, tenantIds: readonly string[]): Promise<number> => {
  let longest = 0;
  for (const tenantId of sayOf(tenantIds)) longest = Math.max(longest, await settings.valueOf(em, tenantId, 'password.min-length'));
  return longest;
};

/** How many hours a session lasts that is good in these tenants: as many as the strictest of them allows. */
export const sessionHoursIn = async (em: EntityManager, settings: Settings, tenantIds: readonly string[]): Promise<number> => {
  let shortest = Number.POSITIVE_INFINITY;
  for (const tenantId of sayOf(tenantIds)) shortest = Math.min(shortest, await settings.valueOf(em, tenantId, 'session.lifetime-hours'));
  return shortest;
};

/** Refuses an address of a domain that one of these tenants does not take. Errors: INVALID_FIELDS at `pointer`. */
export const assertDomainIn = async (
  em: EntityManager,
  settings: Settings,
  tenantIds: readonly string[],
  { email, pointer = '/email' }: { email: string; pointer?: string },
): Promise<void> => {
  for (const tenantId of sayOf(tenantIds)) {
    const domains = await settings.valueOf(em, tenantId, 'users.email-domains');
    if (domains.length > 0 && !domains.some((domain) => email.endsWith(`@${domain}`)))
      throw invalidField(pointer, `must be of ${domains.join(', ')}`);
  }
};
