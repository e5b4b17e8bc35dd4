import { configProblems, isConnectorName } from '@accessops/connectors';
import { AppError } from '@accessops/errors';

/** Checks that a connector can work with a configuration (JSON text) for these roles. Errors: INVALID_FIELDS naming each wrong field of it. */
export const checkConnectorConfig = (connector: string, config: string, roles: readonly string[]): void => {
  // An unknown connector is another field's error.
  if (!isConnectorName(connector)) return;
  const fields = configProblems(connector, JSON.parse(config), roles).map(({ pointer, message }) => ({
    pointer: `/config${pointer}`,
    message,
  }));
  if (fields.length > 0) throw new AppError('INVALID_FIELDS', fields[0]?.message, { fields });
};
