import { readFileSync } from 'node:fs';
import type { TlsIdentity } from './tls-identity.ts';

/** How to connect to a PostgreSQL, in the words of `pg`. */
export interface DatabaseAddress {
  connectionString: string;
  /** Unset: without TLS. Its members are read anew for each connection. */
  ssl?: { rejectUnauthorized: true; ca?: string; cert?: string; key?: string };
}

const modes = ['disable', 'verify-full'];

/** What is wrong with how an address asks for TLS; undefined when nothing is. */
export const databaseAddressProblem = (url: string): string | undefined => {
  const { searchParams } = URL.canParse(url) ? new URL(url) : new URL('postgres://none');
  const mode = searchParams.get('sslmode');
  const root = searchParams.get('sslrootcert');
  if (mode && !modes.includes(mode)) return `sslmode=${mode} does not prove who answers: say sslmode=verify-full, or disable`;
  if (!root) return undefined;
  if (mode !== 'verify-full') return 'sslrootcert is needed with sslmode=verify-full only';
  try {
    readFileSync(root);
    return undefined;
  } catch {
    return `sslrootcert: file ${root} cannot be read`;
  }
};

/**
 * The address of a database, which says by `sslmode=verify-full` that it is to be called by TLS: as `tls`, believing its CAs, unless
 * `sslrootcert` names others. Without an identity the CAs of the system are believed.
 */
export const databaseAddress = (url: string, tls?: TlsIdentity): DatabaseAddress => {
  const address = new URL(url);
  const { searchParams } = address;
  const isSecure = searchParams.get('sslmode') === 'verify-full';
  const root = searchParams.get('sslrootcert');
  // `pg` would have its own idea of them.
  for (const name of ['sslmode', 'sslrootcert']) searchParams.delete(name);
  if (!isSecure) return { connectionString: address.href };
  const material = tls?.material;
  return {
    connectionString: address.href,
    ssl: {
      rejectUnauthorized: true,
      get ca() {
        return root ? readFileSync(root, 'utf8') : material?.ca;
      },
      get cert() {
        return material?.cert;
      },
      get key() {
        return material?.key;
      },
    },
  };
};
