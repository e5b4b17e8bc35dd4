import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, command, query } from '@accessops/service';
import { featureFlags } from '../lists.ts';
import { may } from '../may.ts';
import { page } from '../page.ts';
import { featureFlagToProto } from '../to-proto.ts';
import { createFeatureFlag } from './create-feature-flag.ts';
import { deleteFeatureFlag } from './delete-feature-flag.ts';
import { findFeatureFlag } from './find-feature-flag.ts';
import { replaceFeatureFlag } from './replace-feature-flag.ts';

const flagPage = page(featureFlags, featureFlagToProto);

/** The RPCs about feature flags. */
export const featureFlagHandlers = {
  listFeatureFlags: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'feature_flag', 'list');
    return flagPage(ctx, listQuery);
  }),
  getFeatureFlag: query(async (ctx, { id }) => {
    await may(ctx, 'feature_flag', 'read');
    return featureFlagToProto(await findFeatureFlag(ctx.em, id));
  }),
  createFeatureFlag: command(async (ctx, request) => {
    await may(ctx, 'feature_flag', 'create');
    return featureFlagToProto(await createFeatureFlag(ctx, request));
  }),
  replaceFeatureFlag: command(async (ctx, request) => {
    await may(ctx, 'feature_flag', 'update');
    return featureFlagToProto(await replaceFeatureFlag(ctx, request));
  }),
  deleteFeatureFlag: command(async (ctx, { id }) => {
    await may(ctx, 'feature_flag', 'delete');
    await deleteFeatureFlag(ctx, id);
    return {};
  }),
} satisfies Partial<Handlers<typeof IdentityService, Call>>;
