export {
  type ConfigProblem,
  type ConnectorName,
  configProblems,
  configSchema,
  connectorNames,
  isConnectorName,
} from './config-problems.ts';
export { type KeycloakGroupConfig, keycloakGroupConfig } from './keycloak-group-config.ts';
export { type KubernetesConfig, kubernetesConfig } from './kubernetes-config.ts';
export { type OpentofuConfig, opentofuConfig } from './opentofu-config.ts';
export { madeRolePrefix, type PostgresConfig, postgresConfig } from './postgres-config.ts';
export { type S3Config, s3Config } from './s3-config.ts';
export { type SimulatedConfig, simulatedConfig } from './simulated-config.ts';
export { type SshCertificateConfig, sshCertificateConfig } from './ssh-certificate-config.ts';
export { type WebhookConfig, webhookConfig } from './webhook-config.ts';
