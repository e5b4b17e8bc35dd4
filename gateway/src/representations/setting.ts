import type { Setting } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleTime, time } from '../fields.ts';
import { timeOrNull } from './proto.ts';

export const settingSchema = z
  .object({
    key: z.string(),
    value: z.unknown().openapi({ description: 'The value that counts here; null for a secret.' }),
    source: z.enum(['default', 'environment', 'global', 'tenant']).openapi({ description: 'Where the value comes from.' }),
    description: z.string(),
    secret: z.boolean().openapi({ description: 'A secret is never shown.' }),
    isSet: z.boolean().openapi({ description: 'Whether it is more than the default.' }),
    version: z.int().openapi({ description: 'Counts the changes at this level, from 1.' }),
    updatedAt: time.nullable(),
  })
  .openapi('Setting');

type SettingJson = z.infer<typeof settingSchema>;

export const settingExample: SettingJson = {
  key: 'session.lifetime-hours',
  value: 24,
  source: 'tenant',
  description: 'How long a session lasts from login on.',
  secret: false,
  isSet: true,
  version: 1,
  updatedAt: exampleTime,
};

/** A setting as the API shows it. */
export const settingJson = ({ key, valueJson, source, description, secret, isSet, version, updatedAt }: Setting): SettingJson => ({
  key,
  value: valueJson ? (JSON.parse(valueJson) as unknown) : null,
  source: source as SettingJson['source'],
  description,
  secret,
  isSet,
  version,
  updatedAt: timeOrNull(updatedAt),
});
