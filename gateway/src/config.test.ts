import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFrom } from './config.ts';

const addresses = ['IDENTITY', 'REQUESTS', 'APPROVALS', 'PROVISIONER', 'AUDIT', 'CERBOS'];

describe('the configuration', () => {
  let folder: string;
  let good: Record<string, string>;

  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'accessops-gateway-'));
    good = {
      PORT: '8080',
      ...Object.fromEntries(addresses.map((name, index) => [`${name}_ADDRESS`, `127.0.0.1:${7000 + index}`])),
      NATS_URL: 'nats://127.0.0.1:4222',
      NATS_USER: 'gateway',
      NATS_PASSWORD: 'not a secret',
      ISSUER: 'http://accessops.test',
      PRINCIPAL_KEY_FILE: file('key.json', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid: 'gateway', x: 'eA', d: 'ZA' })),
      CURSOR_KEY_FILE: file('cursor', `${Buffer.alloc(32, 1).toString('base64')}\n`),
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const problems = (changes: Record<string, string | undefined>): string[] => {
    try {
      configFrom({ ...good, ...changes });
      return [];
    } catch (error) {
      return (error as Error).message.split('\n');
    }
  };

  test('when everything needed is there, then the rest has its defaults', () => {
    expect(configFrom(good)).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      services: { identity: '127.0.0.1:7000', audit: '127.0.0.1:7004' },
      cerbosAddress: '127.0.0.1:7005',
      namespace: 'accessops',
      principalKey: { kid: 'gateway' },
      cursorKey: Buffer.alloc(32, 1),
      production: false,
      limits: { user: 3000, tenant: 15_000, address: 3000 },
      redisUrl: undefined,
      trustedProxies: [],
      corsOrigins: [],
      timeouts: { headersMs: 10_000, requestMs: 30_000, idleMs: 65_000 },
      logLevel: 'info',
    });
  });

  test('when lists are given, then each item is read', () => {
    const lists = { TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1,::1', CORS_ORIGINS: 'https://a.test,http://localhost:5173' };
    expect(configFrom({ ...good, ...lists, ACCESSOPS_RATE_LIMIT: 'off' })).toMatchObject({
      trustedProxies: ['10.0.0.0/8', '127.0.0.1', '::1'],
      corsOrigins: ['https://a.test', 'http://localhost:5173'],
      limits: undefined,
    });
  });

  test('when nothing is there, then each variable that is missing is named on a line', () => {
    const nothing = Object.fromEntries(Object.keys(good).map((name) => [name, undefined]));
    expect(problems(nothing).map((line) => line.split(':')[0])).toEqual(Object.keys(good));
  });

  test.each<[string, string]>([
    ['PORT', 'many'],
    ['PORT', '65536'],
    ['AUDIT_ADDRESS', 'localhost'],
    ['NATS_URL', 'http://x'],
    ['EVENTS_NAMESPACE', 'a.b'],
    ['LOG_LEVEL', 'loud'],
    ['ACCESSOPS_ENV', 'staging'],
    ['ACCESSOPS_RATE_LIMIT', 'maybe'],
    ['RATE_LIMIT_USER', '0'],
    ['REDIS_URL', 'http://x'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,everybody'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.test/'],
    ['IDLE_TIMEOUT_MS', '-1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['SENTRY_DSN', 'https://sentry.test/1'],
  ])('when %s is %s, then it is refused', (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(`^${name}: `)]);
  });

  test('when a key cannot be used, then its file is named and nothing of its content', () => {
    for (const name of ['PRINCIPAL_KEY_FILE', 'CURSOR_KEY_FILE']) {
      const path = file('bad', 'c2VjcmV0');
      expect(problems({ [name]: path })).toEqual([expect.stringMatching(`^${name}: file ${path} must hold`)]);
      expect(problems({ [name]: path }).join()).not.toContain('c2VjcmV0');
      expect(problems({ [name]: join(folder, 'absent') })).toHaveLength(1);
    }
  });
});
