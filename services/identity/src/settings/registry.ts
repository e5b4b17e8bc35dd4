import { tierNames } from '@accessops/license';
import { z } from 'zod';

/** One setting, declared whole. */
export interface SettingDefinition<Value> {
  /** What a value must be. */
  schema: z.ZodType<Value>;
  default: NoInfer<Value>;
  /** What it does, in a sentence; shown by the API. */
  description: string;
  /** The environment variable of the identity service that sets it: JSON, or a text as it is. */
  environment: string;
  /** `platform`: only platform staff can set it, and only they see it. */
  level: 'tenant' | 'platform';
  /** Kept sealed, and never shown. */
  secret?: boolean;
}

const define = <Value>(definition: SettingDefinition<Value>): SettingDefinition<Value> => definition;

const domain = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a domain name in lower case');

/** The name of a flag: of a license, or a feature flag. */
export const flagName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and hyphens, at most 63');

/** Flags of a license, each once. */
export const flagNames = z
  .array(flagName)
  .max(50)
  .transform((names) => [...new Set(names)].sort());

const entitlement = z.strictObject({ tier: z.enum(tierNames), flags: flagNames.default([]) });

/** Every setting there is. What stands here is read somewhere; nothing else can be set. */
export const settings = {
  'license.default-tier': define({
    schema: z.enum(tierNames),
    default: 'free',
    description: 'The tier that a new organisation begins with.',
    environment: 'LICENSE_DEFAULT_TIER',
    level: 'platform',
  }),
  'password.min-length': define({
    schema: z.int().min(12).max(64),
    default: 12,
    description:
      'How many characters a new password must have at least; of somebody in several organisations, as the strictest of them says.',
    environment: 'PASSWORD_MIN_LENGTH',
    level: 'tenant',
  }),
  'security.require-mfa': define({
    schema: z.boolean(),
    default: false,
    description:
      'Whether everybody needs a second factor to administer the organisation and to decide on requests. Who has none can still set one up.',
    environment: 'SECURITY_REQUIRE_MFA',
    level: 'tenant',
  }),
  'session.lifetime-hours': define({
    schema: z.int().min(1).max(720),
    default: 168,
    description:
      'How long a session lasts from login on, in several organisations as the strictest of them says; refreshing does not prolong it. Sessions that have begun keep their end.',
    environment: 'SESSION_LIFETIME_HOURS',
    level: 'tenant',
  }),
  'stripe.prices': define({
    schema: z
      .record(z.string().min(1).max(255), entitlement)
      .refine((map) => Object.keys(map).length <= 200, 'must have at most 200 entries'),
    default: {},
    description: 'What a price or product of Stripe gives: its id → {tier, flags}.',
    environment: 'STRIPE_PRICES',
    level: 'platform',
  }),
  'stripe.webhook-secret': define({
    schema: z.string().max(255),
    default: '',
    description: 'The signing secret of the Stripe webhook endpoint.',
    environment: 'STRIPE_WEBHOOK_SECRET',
    level: 'platform',
    secret: true,
  }),
  'users.email-domains': define({
    schema: z.array(domain).max(50),
    default: [],
    description: 'Domains that the e-mail addresses of new users, of invitations and of changes must have; any when there is none.',
    environment: 'USERS_EMAIL_DOMAINS',
    level: 'tenant',
  }),
} as const;

export type SettingKey = keyof typeof settings;

/** What a setting's value is. */
export type SettingValue<Key extends SettingKey> = z.output<(typeof settings)[Key]['schema']>;

/** A setting by a key from outside; undefined when there is none. */
export const definitionOf = (key: string): SettingDefinition<unknown> | undefined =>
  Object.hasOwn(settings, key) ? settings[key as SettingKey] : undefined;

/** All keys, sorted. */
export const settingKeys = Object.keys(settings).sort() as SettingKey[];
