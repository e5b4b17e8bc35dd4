import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { postgresConfig } from '@accessops/connectors';
import { type Access, type Connector, ConnectorError, type Trial } from '../../connector.ts';
import { checkTarget } from './check-target.ts';
import { closeRole, dropRole, endSessions, isRoleThere, makeRole, roleNameOf } from './grant-role.ts';
import { claimAbsence, claimPresence, ensureLedger, noteRole } from './ledger.ts';
import type { Login, Logins } from './logins.ts';
import { scramVerifier } from './scram-verifier.ts';
import { createTarget, type Target } from './target.ts';

const sessionPauseMs = 20;

const mayUse = ({ tenants }: Login, { tenantId, tenantSlug }: Pick<Trial, 'tenantId' | 'tenantSlug'>): boolean =>
  tenants.has(tenantId) || (tenantSlug !== null && tenants.has(tenantSlug));

const configOf = ({ config }: Access) => {
  const parsed = postgresConfig.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConnectorError('refused', `The configuration is wrong at ${issue?.path.join('.')}: ${issue?.message}`);
};

/** The connector, and an end to its connections. */
export interface PostgresConnector extends Connector {
  close(): Promise<void>;
}

/**
 * Gives access to PostgreSQL databases: one login role per grant, with the privileges of the roles that stand for the access role.
 * What it needs at the target is in docs/connectors.md.
 */
export const createPostgresConnector = (logins: Logins): PostgresConnector => {
  const targets = new Map<string, Target>();

  const targetOf = (login: Login): Target => {
    const target = targets.get(login.name) ?? createTarget(login);
    targets.set(login.name, target);
    return target;
  };

  const open = (access: Access) => {
    const config = configOf(access);
    const login = logins.get(config.login);
    if (!login) throw new ConnectorError('refused', `There is no login "${config.login}" for the connector postgres`);
    if (!mayUse(login, access)) {
      // The tenant's name comes with an event of its own, maybe later.
      throw new ConnectorError(
        access.tenantSlug === null ? 'failed' : 'refused',
        `The login "${config.login}" is not for this organisation`,
      );
    }
    return { config, target: targetOf(login), name: roleNameOf(access) };
  };

  const membershipsOf = (access: Access): string[] => {
    const { roles } = configOf(access);
    const memberOf = Object.hasOwn(roles, access.role) ? roles[access.role] : undefined;
    if (!memberOf) throw new ConnectorError('refused', `The configuration does not say what the role "${access.role}" means at the target`);
    return memberOf;
  };

  return {
    plan: async (access) => {
      const { config, target, name } = open(access);
      return [
        `Create the login ${name} on the database ${target.address.database}`,
        `Give it the privileges of ${membershipsOf(access).join(', ')}, and at most ${config.connectionLimit} sessions`,
        'At the end: close its sessions, pass on what it owns, and drop it',
      ];
    },

    apply: async (access, signal) => {
      const { config, target, name } = open(access);
      const memberOf = membershipsOf(access);
      const password = randomBytes(24).toString('base64url');
      const verifier = await scramVerifier(password);
      const { durationMs } = access;
      await target.transaction(signal, async (client) => {
        await ensureLedger(client);
        if (!(await claimPresence(client, access, name))) throw new ConnectorError('failed', 'The target has heard from a later worker');
        await makeRole(client, name, { verifier, memberOf, durationMs, connectionLimit: config.connectionLimit });
        await noteRole(client, access);
      });
      return { handle: { username: name }, credential: { ...target.address, username: name, password } };
    },

    verify: async (access, signal) => {
      const { target, name } = open(access);
      return target.transaction(signal, async (client) => {
        await ensureLedger(client);
        return isRoleThere(client, name, access);
      });
    },

    revoke: async (access, signal) => {
      const { target, name } = open(access);
      const isMine = await target.transaction(signal, async (client) => {
        await ensureLedger(client);
        const mine = await claimAbsence(client, access, name);
        if (mine) await closeRole(client, name);
        return mine;
      });
      if (!isMine) return;
      // Nobody gets in any more; a session that was just being opened appears a moment later.
      const sessions = () => target.transaction(signal, (client) => endSessions(client, name));
      while ((await sessions()) > 0) await delay(sessionPauseMs, undefined, { signal });
      await target.transaction(signal, async (client) => {
        if (await claimAbsence(client, access, name)) await dropRole(client, name);
      });
    },

    check: async (trial, signal) => {
      const config = postgresConfig.parse(trial.config);
      const login = logins.get(config.login);
      // The same words for both: which logins others have is nobody's business.
      if (!login || !mayUse(login, trial)) return [{ pointer: '/login', message: 'is no login that this organisation may use' }];
      return checkTarget(targetOf(login), config, trial.roles, signal);
    },

    close: async () => {
      await Promise.all([...targets.values()].map((target) => target.close()));
    },
  };
};
