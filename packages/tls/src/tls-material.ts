import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Where a process finds its certificate, the key of it, and the CAs that it believes. */
export interface TlsFiles {
  cert: string;
  key: string;
  ca: string;
}

/** The content of the files, as PEM. */
export type TlsMaterial = Readonly<TlsFiles>;

const variables = { cert: 'TLS_CERT_FILE', key: 'TLS_KEY_FILE', ca: 'TLS_CA_FILE' } as const;
type Part = keyof typeof variables;
const parts = Object.keys(variables) as Part[];

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, in their order. Throws when there is none, or one that cannot be read. */
export const certificatesIn = (pem: string): [X509Certificate, ...X509Certificate[]] => {
  const [first, ...others] = (pem.match(block) ?? []).map((text) => new X509Certificate(text));
  if (!first) throw new Error('no certificate');
  return [first, ...others];
};

/** The one common name of a certificate; undefined when there is none, or more than one. */
export const commonNameOf = (certificate: X509Certificate): string | undefined => {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? names[0]?.slice('CN='.length) : undefined;
};

/** Reads the three files; throws when one cannot be read. */
export const readMaterial = (files: TlsFiles): TlsMaterial => ({
  cert: readFileSync(files.cert, 'utf8'),
  key: readFileSync(files.key, 'utf8'),
  ca: readFileSync(files.ca, 'utf8'),
});

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** What is wrong with a certificate for which there are the key and the CAs; by whose variable to name it. */
const faultsOf = ({ cert, key, ca }: TlsMaterial, owner: string | undefined): Partial<Record<Part, string>> => {
  const chain = attempt(() => certificatesIn(cert));
  const authorities = attempt(() => certificatesIn(ca));
  const privateKey = attempt(() => createPrivateKey(key));
  const leaf = chain?.[0];
  const isIssued = (certificate: X509Certificate): boolean =>
    [...(authorities ?? []), ...(chain ?? [])].some(
      (issuer) => issuer !== certificate && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey),
    );
  const name = leaf && commonNameOf(leaf);
  const faultOfCertificate = (): string | undefined => {
    if (!leaf) return 'must hold a certificate in PEM';
    if (leaf.validToDate.getTime() < Date.now()) return `has expired at ${leaf.validToDate.toISOString()}: renew it`;
    if (leaf.validFromDate.getTime() > Date.now())
      return `is valid from ${leaf.validFromDate.toISOString()} on: set the clock, or renew it`;
    if (authorities && !chain.every(isIssued)) return 'is of none of the CAs in TLS_CA_FILE: put its CA there, or renew it';
    if (owner && name !== owner) return `is of ${name ?? 'nobody'}: its common name must be ${owner}`;
    return undefined;
  };
  const faultOfKey = (): string | undefined => {
    if (!privateKey) return 'must hold a private key in PEM';
    return leaf && !leaf.checkPrivateKey(privateKey) ? 'is not the key of the certificate in TLS_CERT_FILE' : undefined;
  };
  return { cert: faultOfCertificate(), key: faultOfKey(), ca: authorities ? undefined : 'must hold the certificates of CAs in PEM' };
};

const line = (part: Part, files: TlsFiles, fault: string) => `${variables[part]}: file ${files[part]} ${fault}`;

/** What is wrong with material that was read, a line each. */
export const faultLines = (files: TlsFiles, material: TlsMaterial, owner?: string): string[] =>
  Object.entries(faultsOf(material, owner)).flatMap(([part, fault]) => (fault ? [line(part as Part, files, fault)] : []));

/** What is wrong with the files, a line each that names the variable; `owner` is the process that the certificate must be for. */
export const materialProblems = (files: TlsFiles, owner: string): string[] => {
  const unreadable = parts.filter((part) => attempt(() => readFileSync(files[part])) === undefined);
  if (unreadable.length > 0) return unreadable.map((part) => line(part, files, 'cannot be read'));
  return faultLines(files, readMaterial(files), owner);
};
