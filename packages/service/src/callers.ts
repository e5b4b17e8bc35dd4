import type { Service } from '@accessops/events';

/** Which processes call a service; the picture in docs/architecture.md. With TLS, nobody else gets in. */
export const callers: Readonly<Record<Service, readonly string[]>> = {
  identity: ['gateway', 'provisioner'],
  requests: ['gateway', 'approvals', 'provisioner'],
  approvals: ['gateway'],
  provisioner: ['gateway'],
  audit: ['gateway'],
};
