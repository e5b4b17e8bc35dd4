import { readServiceEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';

export type AuditConfig = ServiceConfig;

/** Reads the environment of the process; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): AuditConfig =>
  toServiceConfig(serviceEnvironment.shape, readServiceEnvironment('audit', serviceEnvironment, env));
