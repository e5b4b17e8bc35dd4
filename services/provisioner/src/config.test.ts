import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { configFrom } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'provisioner-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = (name: string, content: unknown) => {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};

const environment = (keys: unknown) => ({
  LISTEN: '127.0.0.1:0',
  DATABASE_URL: 'postgres://localhost/x',
  NATS_URL: 'nats://localhost',
  NATS_USER: 'provisioner',
  NATS_PASSWORD: 'x',
  CERBOS_ADDRESS: 'localhost:1',
  PRINCIPAL_JWKS_FILE: file('jwks.json', { keys: [] }),
  CREDENTIAL_KEY_FILE: file('keys.json', keys),
  FILES_DIRECTORY: '/files',
  IDENTITY_ADDRESS: 'localhost:2',
  REQUESTS_ADDRESS: 'localhost:3',
  PRINCIPAL_KEY_FILE: file('key.json', { kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd', kid: 'provisioner' }),
});

const key = Buffer.alloc(32, 7).toString('base64');

test('when the key file is right, then its keys are read', () => {
  const { credentialKeys } = configFrom(environment({ current: 'k1', keys: { k1: key } }));
  expect(credentialKeys.keys.k1?.toString('base64')).toBe(key);
});

test('when a key is too short or the current one is missing, then the process does not start', () => {
  expect(() => configFrom(environment({ current: 'k1', keys: { k1: 'c2hvcnQ=' } }))).toThrow(/32 bytes/);
  expect(() => configFrom(environment({ current: 'k2', keys: { k1: key } }))).toThrow(/current key/);
  expect(() => configFrom({})).toThrow(/CREDENTIAL_KEY_FILE/);
});

test('when files are to be kept in a bucket, then all that it takes is asked for', () => {
  const keys = { current: 'k1', keys: { k1: key } };
  const s3 = { FILES_S3_BUCKET: 'reports', FILES_S3_URL: 'https://s3.test', FILES_S3_ACCESS_KEY: 'a', FILES_S3_SECRET_KEY: 'b' };
  expect(configFrom(environment(keys)).files).toEqual({ directory: '/files' });
  expect(configFrom({ ...environment(keys), ...s3 }).files).toEqual({
    bucket: 'reports',
    url: 'https://s3.test',
    region: 'us-east-1',
    accessKey: 'a',
    secretKey: 'b',
  });
  expect(() => configFrom({ ...environment(keys), FILES_S3_BUCKET: 'reports' })).toThrow(/FILES_S3_URL.*\n.*ACCESS_KEY.*\n.*SECRET_KEY/);
  expect(() => configFrom({ ...environment(keys), FILES_DIRECTORY: undefined })).toThrow(/FILES_DIRECTORY/);
});
