import { listPage } from '@accessops/db';
import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, type Ctx, command, query } from '@accessops/service';
import { featureFlags } from '../lists.ts';
import { featureFlagToProto } from '../to-proto.ts';
import { createFeatureFlag } from './create-feature-flag.ts';
import { deleteFeatureFlag } from './delete-feature-flag.ts';
import { findFeatureFlag } from './find-feature-flag.ts';
import { replaceFeatureFlag } from './replace-feature-flag.ts';

const may = (ctx: Ctx, action: string) => ctx.authorize('feature_flag', action, { tenantId: ctx.tenantId });

/** The RPCs about feature flags. */
export const featureFlagHandlers = {
  listFeatureFlags: query(async (ctx, { query: listQuery }) => {
    await may(ctx, 'list');
    const { items, next } = await listPage(ctx.em, featureFlags, listQuery, { tenantId: ctx.tenantId });
    return { items: items.map(featureFlagToProto), page: { next } };
  }),
  getFeatureFlag: query(async (ctx, { id }) => {
    await may(ctx, 'read');
    return featureFlagToProto(await findFeatureFlag(ctx.em, id));
  }),
  createFeatureFlag: command(async (ctx, request) => {
    await may(ctx, 'create');
    return featureFlagToProto(await createFeatureFlag(ctx, request));
  }),
  replaceFeatureFlag: command(async (ctx, request) => {
    await may(ctx, 'update');
    return featureFlagToProto(await replaceFeatureFlag(ctx, request));
  }),
  deleteFeatureFlag: command(async (ctx, { id }) => {
    await may(ctx, 'delete');
    await deleteFeatureFlag(ctx, id);
    return {};
  }),
} satisfies Partial<Handlers<typeof IdentityService, Call>>;
