import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { postgresConfig } from '@accessops/connectors';
import { type Access, type Connector, ConnectorError, nothingToExtend } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { meaningOf, readConfig } from '../read-config.ts';
import { checkTarget } from './check-target.ts';
import { closeRole, dropRole, endSessions, isRoleThere, makeRole, prolongRole, roleNameOf, stripRole } from './grant-role.ts';
import { claimAbsence, claimPresence, ensureLedger, noteRole } from './ledger.ts';
import { listRoles } from './list-roles.ts';
import type { PostgresLogin } from './postgres-login.ts';
import { scramVerifier } from './scram-verifier.ts';
import { createTarget, type Target } from './target.ts';

const sessionPauseMs = 20;

/**
 * Gives access to PostgreSQL databases: one login role per grant, with the privileges of the roles that stand for the access role.
 * What it needs at the target is in docs/connectors.md.
 */
export const createPostgresConnector = (logins: Logins<PostgresLogin>): Connector => {
  const targets = new Map<string, Target>();

  const targetOf = (login: Login<PostgresLogin>): Target => {
    const target = targets.get(login.name) ?? createTarget(login.name, login.settings.URL);
    targets.set(login.name, target);
    return target;
  };

  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const config = readConfig(postgresConfig, access);
    return { config, target: targetOf(loginOf(logins, config.login, access)), name: roleNameOf(access) };
  };

  return {
    plan: async (access) => {
      const { config, target, name } = open(access);
      return {
        steps: [
          `Create the login ${name} on the database ${target.address.database}`,
          `Give it the privileges of ${meaningOf(config.roles, access).join(', ')}, and at most ${config.connectionLimit} sessions`,
          'At the end: close its sessions, pass on what it owns, and drop it',
        ],
      };
    },

    apply: async (access, signal) => {
      const { config, target, name } = open(access);
      const memberOf = meaningOf(config.roles, access);
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

    extend: async (access, signal) => {
      const { target, name } = open(access);
      await target.transaction(signal, async (client) => {
        await ensureLedger(client);
        if (!(await claimPresence(client, access, name))) throw new ConnectorError('failed', 'The target has heard from a later worker');
        if (!(await prolongRole(client, name, access.durationMs))) throw nothingToExtend();
      });
      return null;
    },

    verify: async (access, signal) => {
      const { target, name } = open(access, loginOfGiven);
      return target.transaction(signal, async (client) => {
        await ensureLedger(client);
        return isRoleThere(client, name, access);
      });
    },

    revoke: async (access, signal) => {
      const { target, name } = open(access, loginOfGiven);
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
      // One after the other: what keeps a role from being dropped leaves it without any rights all the same.
      for (const step of [stripRole, dropRole]) {
        await target.transaction(signal, async (client) => {
          if (await claimAbsence(client, access, name)) await step(client, name);
        });
      }
    },

    check: async (trial, signal) => {
      const config = postgresConfig.parse(trial.config);
      return tryLogin(logins, config.login, trial, (login) => checkTarget(targetOf(login), config, trial.roles, signal));
    },

    list: async (site, signal) => {
      const config = readConfig(postgresConfig, site);
      return listBy(logins, config.login, site, (login) =>
        targetOf(login).transaction(signal, async (client) => {
          await ensureLedger(client);
          return listRoles(client, [...new Set(Object.values(config.roles).flat())]);
        }),
      );
    },

    close: async () => {
      await Promise.all([...targets.values()].map((target) => target.close()));
    },
  };
};
