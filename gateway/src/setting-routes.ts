import { z } from '@hono/zod-openapi';
import { type Answer, type Audience, defineList, defineRoute, pageOf, type Route } from './define-route.ts';
import { settingExample, settingJson, settingSchema } from './representations/setting.ts';

/** Settings at one level: the tenant's or the platform's. */
export interface SettingLevel {
  prefix: string;
  /** In operation ids: `getSetting`, `getGlobalSetting`. */
  infix: '' | 'Global';
  tag: string;
  audience: Audience;
  global: boolean;
  /** Cerbos actions. */
  read: string;
  update: string;
}

const body = {
  // The service knows what each setting takes.
  schema: z.strictObject({ value: z.unknown().refine((value) => value !== undefined, 'is required') }).openapi('SettingValue'),
  example: { value: 24 },
};

const keys = { key: settingExample.key };

/** The routes of settings at a level. */
export const settingRoutes = ({ prefix, infix, tag, audience, global, read, update }: SettingLevel): Route[] => {
  const example = { ...settingExample, source: global ? ('global' as const) : ('tenant' as const) };
  const answer: Answer = { status: 200, description: 'The setting.', schema: settingSchema, example, etag: true };
  const path = `${prefix}/settings/{key}`;
  const whose = global ? 'of the platform' : 'of the tenant';
  return [
    defineList({
      path: `${prefix}/settings`,
      operationId: `list${infix}Settings`,
      tag,
      summary: `The settings ${whose}`,
      description: 'The tenant goes before the platform, the platform before the environment, the environment before the default.',
      audience,
      platformOnly: global,
      cerbos: { resource: 'setting', action: read },
      list: { fields: { key: 'text' }, defaultSort: 'key' },
      item: { schema: settingSchema, example },
      handle: async ({ services, query, options }) => pageOf(await services.identity.listSettings({ query, global }, options), settingJson),
    }),
    defineRoute({
      method: 'get',
      path,
      keys,
      operationId: `get${infix}Setting`,
      tag,
      summary: `One setting ${whose}`,
      audience,
      platformOnly: global,
      cerbos: { resource: 'setting', action: read },
      answer,
      errors: ['SETTING_NOT_FOUND'],
      handle: async ({ services, params, options }) =>
        settingJson(await services.identity.getSetting({ key: params.key, global }, options)),
    }),
    defineRoute({
      method: 'put',
      path,
      keys,
      operationId: `put${infix}Setting`,
      tag,
      summary: 'Set a value',
      audience,
      cerbos: { resource: 'setting', action: update },
      body,
      answer,
      errors: ['SETTING_NOT_FOUND'],
      handle: async ({ services, params, body: { value }, options }) =>
        settingJson(await services.identity.putSetting({ key: params.key, global, valueJson: JSON.stringify(value) }, options)),
    }),
    defineRoute({
      method: 'delete',
      path,
      keys,
      operationId: `delete${infix}Setting`,
      tag,
      summary: 'Take a value back',
      audience,
      cerbos: { resource: 'setting', action: update },
      answer: { status: 204, description: 'What stands behind it counts.' },
      errors: ['SETTING_NOT_FOUND'],
      handle: ({ services, params, options }) => services.identity.deleteSetting({ key: params.key, global }, options),
    }),
  ];
};
