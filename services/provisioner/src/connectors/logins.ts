import type { ConfigProblem } from '@accessops/connectors';
import { ConfigError, withSecretFiles } from '@accessops/telemetry';
import { validate } from 'uuid';
import { z } from 'zod';
import { type Access, ConnectorError, type Found, type Site, type Trial } from '../connector.ts';

/** A way into a target that an operator has given to the provisioner. */
export interface Login<Settings> {
  /** What resource types call it. */
  name: string;
  /** By their names in the environment; holds secrets. */
  settings: Settings;
  /** The tenants that may use it: their short names or ids. */
  tenants: ReadonlySet<string>;
}

/** Logins by name. */
export type Logins<Settings> = ReadonlyMap<string, Login<Settings>>;

type Environment = Record<string, string | undefined>;

const tenants = z
  .string()
  .default('')
  .transform((list) => new Set(list.split(',').flatMap((tenant) => tenant.trim() || [])));

/**
 * The logins for a connector in an environment: CONNECTOR_<CONNECTOR>_<NAME>_<FIELD> for each field, or …_FILE for a file that holds
 * it, and CONNECTOR_<CONNECTOR>_<NAME>_TENANTS, separated by commas. Throws a ConfigError, which holds no value.
 */
export const loginsFrom = <S extends z.ZodObject>(env: Environment, connector: string, settings: S): Logins<z.infer<S>> => {
  const shape = z.object({ ...settings.shape, TENANTS: tenants });
  const fields = Object.keys(shape.shape);
  const pattern = new RegExp(`^CONNECTOR_${connector}_([A-Z][A-Z0-9_]*?)_(?:${fields.join('|')})(?:_FILE)?$`);

  const loginOf = (name: string): Login<z.infer<S>> => {
    const variable = (field: string) => `CONNECTOR_${connector}_${name}_${field}`;
    const read = withSecretFiles(fields.map(variable), env);
    const parsed = shape.safeParse(Object.fromEntries(fields.map((field) => [field, read[variable(field)]])));
    if (!parsed.success) {
      throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${variable(String(path[0]))}: ${message}`).join('\n'));
    }
    const { TENANTS, ...rest } = parsed.data as z.infer<S> & { TENANTS: Set<string> };
    return { name: name.toLowerCase().replaceAll('_', '-'), settings: rest as z.infer<S>, tenants: TENANTS };
  };

  const names = new Set(Object.keys(env).flatMap((key) => pattern.exec(key)?.[1] ?? []));
  return new Map([...names].map(loginOf).map((login) => [login.name, login]));
};

type Tenant = Pick<Trial, 'tenantId' | 'tenantSlug'>;

// Whoever takes the id of a tenant for a short name is not that tenant.
const mayUse = ({ tenants: allowed }: Login<unknown>, { tenantId, tenantSlug }: Tenant): boolean =>
  allowed.has(tenantId) || (tenantSlug !== null && !validate(tenantSlug) && allowed.has(tenantSlug));

/** In the same words whether there is no such login or it is for others: which ones others have is nobody's business. */
const noLogin = (name: string, { tenantSlug }: Tenant): ConnectorError =>
  // The tenant's name comes with an event of its own, maybe later.
  new ConnectorError(tenantSlug === null ? 'failed' : 'refused', `There is no login "${name}" that this organisation may use`);

/** The login of this name; a ConnectorError when there is none for the tenant. */
export const loginFor = <S>(logins: Logins<S>, name: string, tenant: Tenant): Login<S> => {
  const login = logins.get(name);
  if (!login || !mayUse(login, tenant)) throw noLogin(name, tenant);
  return login;
};

/**
 * The login to look after access by: what was given while it was the tenant's can be taken away when it no longer is. What was never given
 * was maybe never the tenant's to ask for.
 */
export const loginOfGiven = <S>(logins: Logins<S>, name: string, access: Pick<Access, 'given'> & Tenant): Login<S> =>
  (access.given ? logins.get(name) : undefined) ?? loginFor(logins, name, access);

/** Has `work` look at a site, where access was given; what others have there is only for tenants that may use the login still. */
export const listBy = async <S>(
  logins: Logins<S>,
  name: string,
  site: Site,
  work: (login: Login<S>) => Promise<Found[] | null>,
): Promise<Found[] | null> => {
  const login = loginOfGiven(logins, name, { ...site, given: true });
  const found = await work(login);
  return mayUse(login, site) ? found : (found?.filter(({ key }) => key !== null) ?? null);
};

const noSuchLogin: ConfigProblem = { pointer: '/login', message: 'is no login that this organisation may use' };

/** Tries a configuration with its login; what `work` throws for people to read is a problem at `pointer`. */
export const tryLogin = async <S>(
  logins: Logins<S>,
  name: string,
  trial: Trial,
  work: (login: Login<S>) => Promise<ConfigProblem[]>,
  pointer = '/login',
): Promise<ConfigProblem[]> => {
  const login = logins.get(name);
  if (!login || !mayUse(login, trial)) return [noSuchLogin];
  try {
    return await work(login);
  } catch (error) {
    if (error instanceof ConnectorError) return [{ pointer, message: error.message }];
    throw error;
  }
};
