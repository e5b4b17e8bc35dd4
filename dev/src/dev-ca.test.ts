import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tlsProblems } from '@accessops/tls';
import { afterAll, describe, expect, it } from 'vitest';
import { certificateHolders, makeCertificates } from './dev-ca.ts';

describe('certificates for trying TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-ca-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (holder: string, name: string) => join(folder, holder, name);

  it('when they are made, then each process can be started with its own, and keys are for their owner alone', async () => {
    expect(await makeCertificates(folder)).toEqual(certificateHolders);
    for (const holder of certificateHolders) {
      const variables = {
        TLS_CERT_FILE: file(holder, 'tls.crt'),
        TLS_KEY_FILE: file(holder, 'tls.key'),
        TLS_CA_FILE: file(holder, 'ca.crt'),
      };
      expect(tlsProblems(variables, holder)).toEqual([]);
      expect(statSync(file(holder, 'tls.key')).mode & 0o777).toBe(0o600);
    }
    expect(statSync(file('ca', 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('when they are made again, then they stay, unless they are to be renewed, by the same CA', async () => {
    const before = readFileSync(file('audit', 'tls.crt'), 'utf8');
    const authority = readFileSync(file('audit', 'ca.crt'), 'utf8');
    expect(await makeCertificates(folder)).toEqual([]);
    expect(readFileSync(file('audit', 'tls.crt'), 'utf8')).toBe(before);
    expect(await makeCertificates(folder, { renew: true })).toEqual(certificateHolders);
    expect(readFileSync(file('audit', 'tls.crt'), 'utf8')).not.toBe(before);
    expect(readFileSync(file('audit', 'ca.crt'), 'utf8')).toBe(authority);
  });
});
