import type { FeatureFlag } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf } from './proto.ts';

export const featureFlagSchema = z
  .object({
    id: id('The feature flag.'),
    name: z.string(),
    description: z.string().nullable(),
    enabled: z.boolean(),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('FeatureFlag');

type FeatureFlagJson = z.infer<typeof featureFlagSchema>;

export const featureFlagExample: FeatureFlagJson = {
  id: exampleId,
  name: 'new-dashboard',
  description: 'Shows the new dashboard',
  enabled: true,
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

/** A feature flag as the API shows it. */
export const featureFlagJson = ({ id, name, description, enabled, version, createdAt, updatedAt }: FeatureFlag): FeatureFlagJson => ({
  id,
  name,
  description: orNull(description),
  enabled,
  version,
  createdAt: timeOf(createdAt),
  updatedAt: timeOf(updatedAt),
});
