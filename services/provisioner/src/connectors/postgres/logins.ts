import { readFileSync } from 'node:fs';
import { ConfigError } from '@accessops/telemetry';
import { z } from 'zod';

/** A login of ours at a target, as an operator has configured it. */
export interface Login {
  /** What resource types call it. */
  name: string;
  /** postgres://user:password@host:port/database; holds the secret. */
  url: string;
  /** The tenants that may use it: their short names or ids. */
  tenants: ReadonlySet<string>;
}

/** Logins by name. */
export type Logins = ReadonlyMap<string, Login>;

const variable = /^CONNECTOR_POSTGRES_([A-Z][A-Z0-9_]*?)_(URL|URL_FILE|TENANTS)$/;

const url = z.url({ protocol: /^postgres(ql)?$/ }).refine((text) => new URL(text).pathname.length > 1, 'must name a database');

const contentOf = (name: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new ConfigError(`${name}: file ${path} cannot be read`);
  }
};

/** Reads one login; no message holds the address, which holds the password. */
const loginOf = (name: string, env: Record<string, string | undefined>): Login => {
  const prefix = `CONNECTOR_POSTGRES_${name}`;
  const path = env[`${prefix}_URL_FILE`];
  const address = url.safeParse(path ? contentOf(`${prefix}_URL_FILE`, path) : env[`${prefix}_URL`]);
  if (!address.success) throw new ConfigError(`${prefix}_URL: must be postgres://user:password@host:port/database`);
  const tenants = (env[`${prefix}_TENANTS`] ?? '').split(',').map((tenant) => tenant.trim());
  return {
    name: name.toLowerCase().replaceAll('_', '-'),
    url: address.data,
    tenants: new Set(tenants.filter((tenant) => tenant !== '')),
  };
};

/**
 * The logins in an environment: CONNECTOR_POSTGRES_<NAME>_URL, or _URL_FILE for a file that holds it, and
 * CONNECTOR_POSTGRES_<NAME>_TENANTS, separated by commas. Throws a ConfigError.
 */
export const postgresLoginsFrom = (env: Record<string, string | undefined>): Logins => {
  const names = new Set(Object.keys(env).flatMap((key) => variable.exec(key)?.[1] ?? []));
  const logins = [...names].map((name) => loginOf(name, env));
  return new Map(logins.map((login) => [login.name, login]));
};
