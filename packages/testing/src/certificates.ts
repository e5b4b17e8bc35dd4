import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAuthority, CertificateOptions } from '@accessops/dev/certificate-authority';

/** The files of one holder of a certificate. */
export interface CertificateFiles {
  cert: string;
  key: string;
  ca: string;
}

/** Certificates in a folder of a test's own. */
export interface TestCertificates {
  authority: CertificateAuthority;
  /** Another CA. */
  createAuthority(name: string): Promise<CertificateAuthority>;
  /** The certificate of a process at this machine, in files of a folder of that name; `trusted` is whom it believes, as PEM. */
  issue(
    name: string,
    options?: Partial<CertificateOptions> & { authority?: CertificateAuthority; trusted?: string; folder?: string },
  ): Promise<CertificateFiles>;
  remove(): void;
}

/** As PEM files are replaced by whoever is careful: nobody reads half of one. */
export const replaceFile = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

const here = ['localhost', '127.0.0.1', '::1'];

/** A CA, and a folder for what it issues. */
export const testCertificates = async (): Promise<TestCertificates> => {
  // Not loaded by tests that need none.
  const { createAuthority } = await import('@accessops/dev/certificate-authority');
  const folder = mkdtempSync(join(tmpdir(), 'accessops-certificates-'));
  const authority = await createAuthority('AccessOps test');
  return {
    authority,
    createAuthority,
    issue: async (name, { authority: issuer = authority, trusted = issuer.certificate, folder: holder = name, ...options } = {}) => {
      const { certificate, key } = await issuer.issue({ name, hosts: [name, ...here], ...options });
      const own = join(folder, holder);
      mkdirSync(own, { recursive: true });
      const files = { cert: join(own, 'tls.crt'), key: join(own, 'tls.key'), ca: join(own, 'ca.crt') };
      replaceFile(files.cert, certificate);
      replaceFile(files.key, key);
      replaceFile(files.ca, trusted);
      return files;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
