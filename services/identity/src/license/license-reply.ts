import type { LicenseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { License } from './license.ts';

/** A license as the contract shows it. */
export const licenseReply = (license: License): MessageInitShape<typeof LicenseSchema> => ({
  tenantId: license.tenantId,
  tier: license.tier,
  flags: license.flags,
  version: license.version,
  updatedAt: timestampFromDate(license.updatedAt),
  lastSync: license.lastSyncAt
    ? { at: timestampFromDate(license.lastSyncAt), status: license.lastSyncStatus ?? '', eventId: license.lastSyncEvent ?? '' }
    : undefined,
});
