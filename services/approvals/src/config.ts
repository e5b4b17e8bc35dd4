import { jsonFile, readServiceEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';
import { hostAndPort } from '@accessops/telemetry';
import { z } from 'zod';

const ownKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  kid: z.literal('approvals'),
});

/** What approvals is told. */
export const environment = serviceEnvironment.extend({
  /** host:port of requests, the arbiter of a request's state. */
  REQUESTS_ADDRESS: hostAndPort,
  /** Private Ed25519 JWK under which this service calls others in its own name. */
  PRINCIPAL_KEY_FILE: jsonFile(ownKey),
});

export interface ApprovalsConfig extends ServiceConfig {
  requestsAddress: string;
  principalKey: z.infer<typeof ownKey>;
}

/** The configuration out of the environment; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): ApprovalsConfig => {
  const parsed = readServiceEnvironment('approvals', environment, env);
  return {
    ...toServiceConfig(environment.shape, parsed),
    requestsAddress: parsed.REQUESTS_ADDRESS,
    principalKey: parsed.PRINCIPAL_KEY_FILE,
  };
};
