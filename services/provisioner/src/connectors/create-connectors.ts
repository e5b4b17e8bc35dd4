import type { ConnectorName } from '@accessops/connectors';
import type { Connector } from '../connector.ts';
import { createKeycloakGroupConnector } from './keycloak-group/keycloak-group.ts';
import { createKubernetesConnector } from './kubernetes/kubernetes.ts';
import { createOpentofuConnector } from './opentofu/opentofu.ts';
import { createPostgresConnector } from './postgres/postgres.ts';
import { createS3Connector } from './s3/s3.ts';
import { createSshCertificateConnector } from './ssh-certificate/ssh-certificate.ts';
import type { TargetLogins } from './target-logins.ts';
import { createWebhookConnector } from './webhook/webhook.ts';

/** The connectors to real targets. */
export const createConnectors = (logins: TargetLogins): Map<ConnectorName, Connector> =>
  new Map([
    ['postgres', createPostgresConnector(logins.postgres)],
    ['webhook', createWebhookConnector(logins.webhook)],
    ['ssh-certificate', createSshCertificateConnector(logins['ssh-certificate'])],
    ['s3', createS3Connector(logins.s3)],
    ['kubernetes', createKubernetesConnector(logins.kubernetes)],
    ['opentofu', createOpentofuConnector(logins.opentofu)],
    ['keycloak-group', createKeycloakGroupConnector(logins['keycloak-group'])],
  ]);
