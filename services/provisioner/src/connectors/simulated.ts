import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { simulatedConfig } from '@accessops/connectors';
import type { Pool } from 'pg';
import { type Access, type Connector, ConnectorError, nothingToExtend } from '../connector.ts';
import { readConfig } from './read-config.ts';

const usernameOf = ({ key }: Access): string => `sim_${key.replaceAll('-', '').slice(-16)}`;

const heardLater = () => new ConnectorError('failed', 'The simulated target has heard from a later worker');

/**
 * A target that is only a table: it keeps who may do what, as a directory would, and refuses calls of workers that have
 * been replaced. The credential is made up; the table holds a digest of its password.
 */
export const createSimulatedConnector = (target: Pool): Connector => {
  const wait = (ms: number, signal: AbortSignal) => (ms > 0 ? delay(ms, undefined, { signal }) : undefined);

  const ask = async (name: string, call: string, values: unknown[]): Promise<boolean> => {
    const { rows } = await target.query<{ answer: boolean }>({ name, text: `select ${call} as answer`, values });
    return rows[0]?.answer === true;
  };

  const isPresent = ({ tenantId, key }: Access) => ask('simulated-present', 'simulated_present($1, $2)', [tenantId, key]);

  /** Asks the target for something, as slowly and unreliably as the resource type wants it to be. */
  const misbehaving = async (access: Access, signal: AbortSignal, work: () => Promise<boolean>): Promise<boolean> => {
    const { alwaysFail, failFirst, failAfterApplyFirst, latencyMs, answerLatencyMs } = readConfig(simulatedConfig, access);
    await wait(latencyMs, signal);
    if (alwaysFail) throw new ConnectorError('failed', 'The simulated target always refuses');
    if (access.attempt <= failFirst) throw new ConnectorError('failed', `The simulated target refuses attempt ${access.attempt}`);
    signal.throwIfAborted();
    if (!(await work())) return false;
    await wait(answerLatencyMs, signal);
    if (access.attempt <= failAfterApplyFirst) throw new ConnectorError('unknown', `The answer to attempt ${access.attempt} was lost`);
    return true;
  };

  return {
    planTakesTime: (config) => Number(config.latencyMs ?? 0) > 0,

    plan: async (access, signal) => {
      await wait(readConfig(simulatedConfig, access).latencyMs, signal);
      return { steps: [`Create ${usernameOf(access)} on ${access.resourceKey} with the role ${access.role}`] };
    },

    apply: async (access, signal) => {
      const username = usernameOf(access);
      const password = randomBytes(24).toString('base64url');
      const digest = createHash('sha256').update(password).digest();
      const { tenantId, key, resourceKey, role, fence } = access;
      const values = [tenantId, key, resourceKey, role, username, digest, fence];
      const applied = await misbehaving(access, signal, () =>
        ask('simulated-apply', 'simulated_apply($1, $2, $3, $4, $5, $6, $7)', values),
      );
      if (!applied) throw heardLater();
      return { handle: { username }, credential: { username, password } };
    },

    extend: async (access, signal) => {
      const { tenantId, key, fence } = access;
      const extended = await misbehaving(access, signal, () =>
        ask('simulated-extend', 'simulated_extend($1, $2, $3)', [tenantId, key, fence]),
      );
      if (!extended) throw (await isPresent(access)) ? heardLater() : nothingToExtend();
      return null;
    },

    verify: isPresent,

    revoke: async (access, signal) => {
      const { failRevokeFirst, latencyMs } = readConfig(simulatedConfig, access);
      await wait(latencyMs, signal);
      const { tenantId, key, resourceKey, role, fence } = access;
      if (access.attempt <= failRevokeFirst) {
        throw new ConnectorError('failed', `The simulated target does not let go at attempt ${access.attempt}`);
      }
      signal.throwIfAborted();
      await ask('simulated-revoke', 'simulated_revoke($1, $2, $3, $4, $5, $6)', [
        tenantId,
        key,
        resourceKey,
        role,
        usernameOf(access),
        fence,
      ]);
    },

    check: async () => [],

    list: async ({ tenantId, resourceKey }) => {
      const text = 'select key, username as name from simulated_list($1, $2)';
      const { rows } = await target.query<{ key: string; name: string }>(text, [tenantId, resourceKey]);
      return rows.map(({ key, name }) => ({ key, name, kind: 'user', inForce: true }));
    },
  };
};
