import { z } from 'zod';
import { openTlsIdentity, type TlsIdentity } from './tls-identity.ts';
import { materialProblems, type TlsFiles } from './tls-material.ts';

const path = () => z.string().min(1).optional();

/** What a process is configured with that shows a certificate: to whom it calls, and to who calls it. All three or none. */
export const tlsFields = {
  /** PEM file of the certificate, with those between it and the CA behind it. Its common name is the name of the process. */
  TLS_CERT_FILE: path(),
  /** PEM file of the key of that certificate. */
  TLS_KEY_FILE: path(),
  /** PEM file of the CAs whose certificates are believed. */
  TLS_CA_FILE: path(),
};

type TlsVariables = Partial<Record<keyof typeof tlsFields, string | undefined>>;
const names = Object.keys(tlsFields) as (keyof typeof tlsFields)[];

const filesOf = ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca }: TlsVariables): TlsFiles | undefined =>
  cert && key && ca ? { cert, key, ca } : undefined;

/** Whether an address asks for TLS by what it begins with. */
export const wantsTls = (address: string | undefined): boolean => address?.startsWith('tls://') === true;

/** What is wrong with it, a line each that names the variable; `owner` is the process that the certificate must be for. */
export const tlsProblems = (
  env: TlsVariables & { CERBOS_ADDRESS?: string | undefined; NATS_URL?: string | undefined },
  owner: string,
): string[] => {
  const files = filesOf(env);
  if (files) return materialProblems(files, owner);
  const set = names.filter((name) => env[name]);
  const wanting = (['CERBOS_ADDRESS', 'NATS_URL'] as const).filter((name) => wantsTls(env[name]));
  const reason = set[0] ?? wanting[0];
  if (!reason) return [];
  return names.filter((name) => !env[name]).map((name) => `${name}: is needed with ${reason}${set[0] ? '' : ' that begins with tls://'}`);
};

/** The identity that variables name with which nothing is wrong; undefined where there is none. */
export const tlsIdentityOf = (env: TlsVariables): TlsIdentity | undefined => {
  const files = filesOf(env);
  return files && openTlsIdentity(files);
};
