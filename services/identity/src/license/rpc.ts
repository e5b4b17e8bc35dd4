import type { Handlers } from '@accessops/grpc';
import type { IdentityService, LicenseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, command, query } from '@accessops/service';
import { may } from '../may.ts';
import type { Settings } from '../settings/settings.ts';
import { findLicense } from './find-license.ts';
import { licenseReply } from './license-reply.ts';
import { receiveStripeEvent } from './receive-stripe-event.ts';
import { updateAnyLicense, updateLicense } from './update-license.ts';

/** The RPCs about licenses. */
export const licenseHandlers = (settings: Settings) =>
  ({
    getLicense: query(async (ctx) => {
      await may(ctx, 'license', 'read');
      return licenseReply(await findLicense(ctx.em, ctx.tenantId));
    }),
    updateLicense: command(async (ctx, { change }) => licenseReply(await updateLicense(ctx, change))),
    getAnyLicense: async (call, { tenantId }) => {
      await call.authorize('license', 'read_any', {});
      return call.read(async ({ em }) => licenseReply(await findLicense(em, tenantId)), 'all-tenants');
    },
    updateAnyLicense: async (call, { tenantId, change }) => {
      await call.authorize('license', 'update_any', {});
      return call.writeOnce<typeof LicenseSchema>(
        async (ctx) => licenseReply(await updateAnyLicense(ctx, tenantId, change)),
        'all-tenants',
      );
    },
    receiveStripeEvent: async (call, request) => {
      await call.authorize('license', 'sync', {});
      return { outcome: await receiveStripeEvent(call, settings, request) };
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
