import { invalidField, pointerTo } from '@accessops/errors';
import { type Tier, tierNames } from '@accessops/license';
import type { LicenseChange } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { flagNames } from '../settings/registry.ts';
import { changeLicense } from './change-license.ts';
import { lockLicense } from './find-license.ts';
import type { Entitlement, License } from './license.ts';

const parseTier = (name: string): Tier => {
  const tier = tierNames.find((known) => known === name);
  if (!tier) throw invalidField('/tier', `must be one of ${tierNames.join(', ')}`);
  return tier;
};

const parseFlags = (names: string[]): string[] => {
  const { success, data, error } = flagNames.safeParse(names);
  if (success) return data;
  const [issue] = error.issues;
  throw invalidField(pointerTo(['flags', ...(issue?.path ?? [])]), issue?.message ?? 'are not names of flags');
};

const wanted = (license: License, change: LicenseChange | undefined): Entitlement => ({
  tier: change?.tier === undefined ? license.tier : parseTier(change.tier),
  flags: change?.flags ? parseFlags(change.flags.names) : license.flags,
});

/** Changes the license of the caller's tenant; policy says whether to something larger. Errors: INVALID_FIELDS, PERMISSION_DENIED, PRECONDITION_FAILED. */
export const updateLicense = async (ctx: Ctx, change: LicenseChange | undefined): Promise<License> => {
  const license = await lockLicense(ctx.em, ctx.tenantId);
  ctx.expectVersion(license.version);
  const after = wanted(license, change);
  await ctx.authorize('license', 'update', { tenantId: ctx.tenantId, raises: license.isExceededBy(after) });
  changeLicense(ctx, license, after);
  return license;
};

/** Changes the license of any tenant. Errors: INVALID_FIELDS, TENANT_NOT_FOUND, PRECONDITION_FAILED. */
export const updateAnyLicense = async (ctx: Ctx, tenantId: string, change: LicenseChange | undefined): Promise<License> => {
  const license = await lockLicense(ctx.em, tenantId);
  ctx.expectVersion(license.version);
  changeLicense(ctx, license, wanted(license, change));
  return license;
};
