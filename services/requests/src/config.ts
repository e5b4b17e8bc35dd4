import { readServiceEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';

export type RequestsConfig = ServiceConfig;

/** Reads the environment of the process; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): RequestsConfig =>
  toServiceConfig(serviceEnvironment.shape, readServiceEnvironment('requests', serviceEnvironment, env));
