import type { z } from 'zod';
import { keycloakLogin } from './keycloak-group/keycloak-login.ts';
import { kubernetesLogin } from './kubernetes/kubernetes-login.ts';
import { type Logins, loginsFrom } from './logins.ts';
import { opentofuLogin } from './opentofu/opentofu-login.ts';
import { postgresLogin } from './postgres/postgres-login.ts';
import { s3Login } from './s3/s3-login.ts';
import { sshLogin } from './ssh-certificate/ssh-login.ts';
import { webhookLogin } from './webhook/webhook-login.ts';

/** What a login consists of, for each connector that needs one. */
export const loginSettings = {
  postgres: postgresLogin,
  webhook: webhookLogin,
  'ssh-certificate': sshLogin,
  s3: s3Login,
  kubernetes: kubernetesLogin,
  'keycloak-group': keycloakLogin,
  opentofu: opentofuLogin,
} as const;

/** Logins of all connectors. */
export type TargetLogins = { [C in keyof typeof loginSettings]: Logins<z.infer<(typeof loginSettings)[C]>> };

/** The logins in an environment, see docs/connectors.md. Throws a ConfigError. */
export const targetLoginsFrom = (env: Record<string, string | undefined>): TargetLogins => ({
  postgres: loginsFrom(env, 'POSTGRES', loginSettings.postgres),
  webhook: loginsFrom(env, 'WEBHOOK', loginSettings.webhook),
  'ssh-certificate': loginsFrom(env, 'SSH', loginSettings['ssh-certificate']),
  s3: loginsFrom(env, 'S3', loginSettings.s3),
  kubernetes: loginsFrom(env, 'KUBERNETES', loginSettings.kubernetes),
  'keycloak-group': loginsFrom(env, 'KEYCLOAK', loginSettings['keycloak-group']),
  opentofu: loginsFrom(env, 'OPENTOFU', loginSettings.opentofu),
});
