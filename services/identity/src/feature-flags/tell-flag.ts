import { emit } from '@accessops/events';
import { FeatureFlagChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import type { Changes } from '../changes.ts';
import type { FeatureFlag } from './feature-flag.ts';

/** Tells what became of a feature flag. */
export const tellFlag = (ctx: Ctx, { id, tenantId }: FeatureFlag, verb: 'CREATED' | 'UPDATED' | 'DELETED', changes: Changes): void =>
  emit(ctx, FeatureFlagChangedSchema, { featureFlagId: id, tenantId }, id, {
    action: `FEATURE_FLAG_${verb}`,
    entityType: 'FEATURE_FLAG',
    entityId: id,
    changes,
  });
