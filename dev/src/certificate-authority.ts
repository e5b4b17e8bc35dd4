// @peculiar/x509 asks for it.
import 'reflect-metadata';

import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, as PEM. */
export interface Certified {
  certificate: string;
  key: string;
}

export interface CertificateOptions {
  /** The process that it is for. */
  name: string;
  /** Names and addresses under which it is called. */
  hosts: string[];
  days?: number;
  /** When it begins; now. */
  from?: Date;
}

/** A CA of one's own. */
export interface CertificateAuthority extends Certified {
  /** Makes a certificate, which is good for serving and for calling. */
  issue(options: CertificateOptions): Promise<Certified>;
}

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const day = 24 * 3_600_000;
// Clocks of several machines differ.
const skewMs = 60_000;

const makeKeys = () => webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);

const pem = (label: string, bytes: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;

const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');

const keyOf = async (keys: webcrypto.CryptoKeyPair): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));

// The first bit of a serial number is its sign.
const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

const validity = (from: Date, days: number) => ({
  notBefore: new Date(from.getTime() - skewMs),
  notAfter: new Date(from.getTime() + days * day),
});

/** The CA whose certificate and key these are. */
export const openAuthority = async ({ certificate, key }: Certified): Promise<CertificateAuthority> => {
  const own = new X509Certificate(certificate);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', bytesOf(key), curve, true, ['sign']);
  return {
    certificate,
    key,
    issue: async ({ name, hosts, days = 90, from = new Date() }) => {
      const keys = await makeKeys();
      const made = await X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [name] }],
        issuer: own.subjectName,
        ...validity(from, days),
        publicKey: keys.publicKey,
        signingKey,
        signingAlgorithm: signing,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
          await SubjectKeyIdentifierExtension.create(keys.publicKey),
          await AuthorityKeyIdentifierExtension.create(own.publicKey),
        ],
      });
      return { certificate: `${made.toString('pem')}\n`, key: await keyOf(keys) };
    },
  };
};

/** Makes a new CA. */
export const createAuthority = async (name: string, days = 3650): Promise<CertificateAuthority> => {
  const keys = await makeKeys();
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...validity(new Date(), days),
    keys,
    signingAlgorithm: signing,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return openAuthority({ certificate: `${made.toString('pem')}\n`, key: await keyOf(keys) });
};
