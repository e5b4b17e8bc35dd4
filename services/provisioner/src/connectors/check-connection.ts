import { type ConfigProblem, configProblems, connectorNames, isConnectorName } from '@accessops/connectors';
import { AppError, invalidField } from '@accessops/errors';
import type { Call } from '@accessops/service';
import { z } from 'zod';
import { type Connectors, connectorNamed } from '../connector.ts';
import { withDeadline } from '../deadline.ts';

export interface ConnectionTrial {
  connector: string;
  /** JSON text. */
  configJson: string;
  roles: string[];
}

const settings = z.record(z.string(), z.unknown());
const deadlineMs = 4500;

const parseConfig = (json: string): Record<string, unknown> => {
  try {
    return settings.parse(JSON.parse(json || '{}'));
  } catch {
    throw invalidField('/config', 'must be a JSON object');
  }
};

const belowConfig = (problems: ConfigProblem[]): ConfigProblem[] =>
  problems.map(({ pointer, message }) => ({ pointer: `/config${pointer}`, message }));

/**
 * Asks a target whether access could be given with this configuration; answers what has to be put right.
 * Errors: INVALID_FIELDS, PERMISSION_DENIED.
 */
export const checkConnection = async (
  call: Call,
  connectors: Connectors,
  { connector, configJson, roles }: ConnectionTrial,
): Promise<ConfigProblem[]> => {
  const { tenantId, principal } = call;
  await call.authorize('resource_type', 'check', { tenantId });
  if (!isConnectorName(connector)) throw invalidField('/connector', `must be one of: ${connectorNames.join(', ')}`);
  const config = parseConfig(configJson);
  const fields = belowConfig(configProblems(connector, config, roles));
  if (fields.length > 0) throw new AppError('INVALID_FIELDS', fields[0]?.message, { fields });
  const trial = { tenantId, tenantSlug: principal.tenantSlug, config, roles };
  try {
    return belowConfig(await withDeadline(deadlineMs, call.signal, (signal) => connectorNamed(connectors, connector).check(trial, signal)));
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return [{ pointer: '/config', message: 'does not answer in time' }];
    throw error;
  }
};
