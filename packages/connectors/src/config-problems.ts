import { pointerTo } from '@accessops/errors';
import { z } from 'zod';
import { keycloakGroupConfig } from './keycloak-group-config.ts';
import { kubernetesConfig } from './kubernetes-config.ts';
import { opentofuConfig } from './opentofu-config.ts';
import { postgresConfig } from './postgres-config.ts';
import { s3Config } from './s3-config.ts';
import { simulatedConfig } from './simulated-config.ts';
import { sshCertificateConfig } from './ssh-certificate-config.ts';
import { webhookConfig } from './webhook-config.ts';

/** What each connector wants to know, by its name. */
export const connectorConfigs = {
  simulated: simulatedConfig,
  postgres: postgresConfig,
  webhook: webhookConfig,
  'ssh-certificate': sshCertificateConfig,
  s3: s3Config,
  kubernetes: kubernetesConfig,
  'keycloak-group': keycloakGroupConfig,
  opentofu: opentofuConfig,
} as const;

export type ConnectorName = keyof typeof connectorConfigs;

export const connectorNames = Object.keys(connectorConfigs) as ConnectorName[];

export const isConnectorName = (name: string): name is ConnectorName => Object.hasOwn(connectorConfigs, name);

/** Something wrong with a configuration; the pointer (RFC 6901) begins at the configuration itself. */
export interface ConfigProblem {
  pointer: string;
  message: string;
}

const problemsOf = ({ issues }: z.ZodError): ConfigProblem[] =>
  issues.flatMap(({ path, message, ...issue }) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerTo([...path, key]), message: 'is not known to this connector' }))
      : [{ pointer: pointerTo(path), message: message.replace(/^Invalid input: /, '') }],
  );

/** What is wrong with the configuration of a resource type that offers these roles; nothing when it can be used. */
export const configProblems = (connector: ConnectorName, config: unknown, roles: readonly string[]): ConfigProblem[] => {
  const parsed = connectorConfigs[connector].safeParse(config);
  if (!parsed.success) return problemsOf(parsed.error);
  if (!('roles' in parsed.data)) return [];
  const known = parsed.data.roles;
  return roles
    .filter((role) => !Object.hasOwn(known, role))
    .map((role) => ({ pointer: pointerTo(['roles', role]), message: 'must say what this role means at the target' }));
};

/** The configuration of a connector as JSON Schema, for forms and documents. */
export const configSchema = (connector: ConnectorName): Record<string, unknown> => {
  const { $schema: _, ...schema } = z.toJSONSchema(connectorConfigs[connector], { io: 'input' });
  return schema;
};
