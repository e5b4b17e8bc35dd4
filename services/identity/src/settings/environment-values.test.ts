import { ConfigError } from '@accessops/telemetry';
import { expect, test } from 'vitest';
import { environmentValues } from './environment-values.ts';

test('when variables are set, then texts count as they are and everything else is JSON', () => {
  const values = environmentValues({
    PASSWORD_MIN_LENGTH: '15',
    USERS_EMAIL_DOMAINS: '["acme.test"]',
    STRIPE_WEBHOOK_SECRET: '12345',
    SESSION_LIFETIME_HOURS: '',
    HOME: '/root',
  });
  expect(Object.fromEntries(values)).toEqual({
    'password.min-length': 15,
    'users.email-domains': ['acme.test'],
    'stripe.webhook-secret': '12345',
  });
});

test('when variables do not fit, then each is named, and no value is repeated', () => {
  const read = () => environmentValues({ PASSWORD_MIN_LENGTH: 'long', LICENSE_DEFAULT_TIER: 'gold-plated', STRIPE_PRICES: '{"p": 1}' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/LICENSE_DEFAULT_TIER: [^]*PASSWORD_MIN_LENGTH: [^]*STRIPE_PRICES: /);
  expect(read).not.toThrow(/gold-plated/);
});
