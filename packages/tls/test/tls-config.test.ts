import { join } from 'node:path';
import { replaceFile, type TestCertificates, testCertificates } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseAddress, databaseAddressProblem, openTlsIdentity, tlsProblems } from '../src/index.ts';

let certificates: TestCertificates;
let good: { cert: string; key: string; ca: string };

beforeAll(async () => {
  certificates = await testCertificates();
  good = await certificates.issue('audit');
});
afterAll(() => certificates.remove());

const problemsWith = (files: Partial<typeof good>, owner = 'audit') => {
  const { cert, key, ca } = { ...good, ...files };
  return tlsProblems({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca }, owner);
};

describe('what is wrong with certificates', () => {
  test('when nothing is, or nothing is configured, then there is no line', () => {
    expect(problemsWith({})).toEqual([]);
    expect(tlsProblems({ NATS_URL: 'nats://nats:4222', CERBOS_ADDRESS: 'cerbos:3593' }, 'audit')).toEqual([]);
  });

  test('when some of it is missing, then it is named, and why it is needed', () => {
    expect(tlsProblems({ TLS_CERT_FILE: good.cert }, 'audit')).toEqual([
      'TLS_KEY_FILE: is needed with TLS_CERT_FILE',
      'TLS_CA_FILE: is needed with TLS_CERT_FILE',
    ]);
    expect(tlsProblems({ NATS_URL: 'tls://nats:4222' }, 'audit')).toContain(
      'TLS_CERT_FILE: is needed with NATS_URL that begins with tls://',
    );
  });

  test('when a file cannot be read or understood, then each has its line', () => {
    expect(problemsWith({ cert: '/nowhere/tls.crt', ca: '/nowhere/ca.crt' })).toEqual([
      'TLS_CERT_FILE: file /nowhere/tls.crt cannot be read',
      'TLS_CA_FILE: file /nowhere/ca.crt cannot be read',
    ]);
    const garbage = join(good.cert, '../garbage');
    replaceFile(garbage, 'not PEM');
    expect(problemsWith({ cert: garbage, key: garbage, ca: garbage })).toEqual([
      `TLS_CERT_FILE: file ${garbage} must hold a certificate in PEM`,
      `TLS_KEY_FILE: file ${garbage} must hold a private key in PEM`,
      `TLS_CA_FILE: file ${garbage} must hold the certificates of CAs in PEM`,
    ]);
  });

  test('when key, time, CA or name do not fit, then it is told what to do', async () => {
    const other = await certificates.issue('audit', { folder: 'other' });
    expect(problemsWith({ key: other.key })).toEqual([
      `TLS_KEY_FILE: file ${other.key} is not the key of the certificate in TLS_CERT_FILE`,
    ]);
    const former = await certificates.issue('audit', { folder: 'former', from: new Date(Date.now() - 3 * 86_400_000), days: 1 });
    expect(problemsWith(former)[0]).toMatch(/^TLS_CERT_FILE: file .* has expired at .*: renew it$/);
    const future = await certificates.issue('audit', { folder: 'future', from: new Date(Date.now() + 86_400_000) });
    expect(problemsWith(future)[0]).toMatch(/is valid from .* on: set the clock, or renew it$/);
    const stranger = await certificates.createAuthority('A stranger');
    const strange = await certificates.issue('audit', {
      folder: 'strange',
      authority: stranger,
      trusted: certificates.authority.certificate,
    });
    expect(problemsWith(strange)[0]).toMatch(/is of none of the CAs in TLS_CA_FILE: put its CA there, or renew it$/);
    expect(problemsWith({}, 'gateway')).toEqual([`TLS_CERT_FILE: file ${good.cert} is of audit: its common name must be gateway`]);
  });
});

describe('the address of a database', () => {
  const plain = 'postgres://audit@db:5432/accessops';

  test('when it does not ask for TLS, then there is none', () => {
    expect(databaseAddress(plain, openTlsIdentity(good))).toEqual({ connectionString: plain });
    expect(databaseAddress(`${plain}?sslmode=disable`)).toEqual({ connectionString: plain });
  });

  test('when it asks for TLS, then the identity is shown and its CAs are believed, unless it names others', async () => {
    const identity = openTlsIdentity(good);
    const { connectionString, ssl } = databaseAddress(`${plain}?sslmode=verify-full`, identity);
    expect({ connectionString, ssl: { ...ssl } }).toEqual({
      connectionString: plain,
      ssl: { rejectUnauthorized: true, ...identity.material },
    });
    const other = join(good.ca, '../other-ca.crt');
    replaceFile(other, 'their CA');
    expect(databaseAddress(`${plain}?sslmode=verify-full&sslrootcert=${other}`, identity).ssl?.ca).toBe('their CA');
    expect(databaseAddress(`${plain}?sslmode=verify-full`).ssl).toMatchObject({ rejectUnauthorized: true, ca: undefined });
  });

  test('when it asks for TLS that proves nothing, then that is a problem', () => {
    expect(databaseAddressProblem(plain)).toBeUndefined();
    expect(databaseAddressProblem(`${plain}?sslmode=no-verify`)).toContain('say sslmode=verify-full');
    expect(databaseAddressProblem(`${plain}?sslmode=verify-full&sslrootcert=/nowhere`)).toBe('sslrootcert: file /nowhere cannot be read');
    expect(databaseAddressProblem('not an address')).toBeUndefined();
  });
});
