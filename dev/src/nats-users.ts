import { gatewayPermissions, permissionsOf, services } from '@accessops/events/topology';
import type { NatsUser } from './nats.ts';
import type { Secrets } from './secrets.ts';

/** One login per process, each with exactly what it needs, and one for the platform itself that may do everything. */
export const natsUsers = (namespace: string, passwords: Secrets['nats']): NatsUser[] => [
  ...services.map((service) => ({ user: service, password: passwords[service], permissions: permissionsOf(namespace, service) })),
  { user: 'gateway', password: passwords.gateway, permissions: gatewayPermissions(namespace) },
  { user: 'platform', password: passwords.platform },
];
