import { noTenant } from '@accessops/db';
import type { Handlers } from '@accessops/grpc';
import type { IdentityService, ListSettingsRequest, SettingSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { deleteSetting } from './delete-setting.ts';
import { findSettings, keysAt } from './find-settings.ts';
import { pageOfKeys } from './page-of-keys.ts';
import { putSetting } from './put-setting.ts';
import type { Settings } from './settings.ts';

type Level = Pick<ListSettingsRequest, 'global'>;

const may = (call: Call, verb: 'read' | 'update', { global }: Level) =>
  global ? call.authorize('setting', `${verb}_global`, {}) : call.authorize('setting', verb, { tenantId: call.tenantId });

// Whoever sets a global value may act for a tenant too: the level is what was asked for, not who asks.
const at = ({ global }: Level, ctx: Ctx): Ctx => (global ? { ...ctx, tenantId: noTenant } : ctx);
const scopeOf = (call: Call, { global }: Level) => (global ? 'all-tenants' : { tenantId: call.tenantId });

const list = async ({ em, tenantId }: Ctx, settings: Settings, query: ListSettingsRequest['query']) => {
  const { keys, next } = pageOfKeys(keysAt(tenantId), query);
  return { items: await findSettings(em, settings, tenantId, keys), page: { next } };
};

const one = async ({ em, tenantId }: Ctx, settings: Settings, key: string): Promise<MessageInitShape<typeof SettingSchema>> => {
  const [found] = await findSettings(em, settings, tenantId, [key]);
  return found ?? {};
};

/** The RPCs about settings. */
export const settingHandlers = (settings: Settings) =>
  ({
    listSettings: async (call, request) => {
      await may(call, 'read', request);
      return call.read((ctx) => list(at(request, ctx), settings, request.query), scopeOf(call, request));
    },
    getSetting: async (call, request) => {
      await may(call, 'read', request);
      return call.read((ctx) => one(at(request, ctx), settings, request.key), scopeOf(call, request));
    },
    putSetting: async (call, request) => {
      await may(call, 'update', request);
      return call.writeOnce<typeof SettingSchema>(
        async (ctx) => {
          const there = at(request, ctx);
          await putSetting(there, settings, request);
          return one(there, settings, request.key);
        },
        scopeOf(call, request),
      );
    },
    deleteSetting: async (call, request) => {
      await may(call, 'update', request);
      return call.writeOnce(
        async (ctx) => {
          await deleteSetting(at(request, ctx), request.key);
          return {};
        },
        scopeOf(call, request),
      );
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
