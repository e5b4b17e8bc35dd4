import { limitsOf, tierNames, tiers } from '@accessops/license';
import type { License, LicenseChangeSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { z } from '@hono/zod-openapi';
import { exampleTime, time } from '../fields.ts';
import { timeOf } from './proto.ts';

const limit = (what: string) =>
  z
    .int()
    .nullable()
    .openapi({ description: `${what}; null: no limit.` });

const flag = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and hyphens, at most 63');

export const licenseSchema = z
  .object({
    tier: z.enum(tierNames),
    flags: z.array(z.string()),
    limits: z.object({
      users: limit('Active users'),
      resources: limit('Resources'),
      auditRetentionDays: limit('Days of the audit log that can be read'),
    }),
    lastSync: z
      .object({ at: time, status: z.enum(['CHANGED', 'UNCHANGED', 'UNKNOWN_PRICE']), eventId: z.string() })
      .nullable()
      .openapi({ description: 'The newest event of Stripe; null when none has come.' }),
    version: z.int(),
    updatedAt: time,
  })
  .openapi('License');

type LicenseJson = z.infer<typeof licenseSchema>;

export const licenseExample: LicenseJson = {
  tier: 'team',
  flags: ['sso'],
  limits: tiers.team,
  lastSync: { at: exampleTime, status: 'CHANGED', eventId: 'evt_1NG8Du2eZvKYlo2CUI79vXWy' },
  version: 2,
  updatedAt: exampleTime,
};

export const licenseChange = z
  .strictObject({ tier: z.enum(tierNames).optional(), flags: z.array(flag).max(50).optional() })
  .openapi('LicenseChange');

/** What is to change of a license, as the service takes it. */
export const changeOf = ({ tier, flags }: z.infer<typeof licenseChange>): MessageInitShape<typeof LicenseChangeSchema> => ({
  tier,
  flags: flags && { names: flags },
});

type SyncStatus = NonNullable<LicenseJson['lastSync']>['status'];

/** A license as the API shows it. */
export const licenseJson = ({ tier, flags, lastSync, version, updatedAt }: License): LicenseJson => ({
  tier: tier as LicenseJson['tier'],
  flags,
  limits: limitsOf(tier),
  lastSync: lastSync ? { at: timeOf(lastSync.at), status: lastSync.status as SyncStatus, eventId: lastSync.eventId } : null,
  version,
  updatedAt: timeOf(updatedAt),
});
