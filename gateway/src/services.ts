import { type ConnectOptions, connect, type ServiceClient } from '@accessops/grpc';
import { ApprovalsService } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { OperationsService } from '@accessops/proto/accessops/operations/v1/operations_pb';
import { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { type ServiceName, serviceNames } from './config.ts';

/** Clients of the services. */
export interface Services {
  identity: ServiceClient<typeof IdentityService>;
  requests: ServiceClient<typeof RequestsService>;
  approvals: ServiceClient<typeof ApprovalsService>;
  provisioner: ServiceClient<typeof ProvisionerService>;
  audit: ServiceClient<typeof AuditService>;
  /** What every service offers its operators, by the service's name. */
  operations: Record<ServiceName, ServiceClient<typeof OperationsService>>;
  close(): void;
}

/** Connects to all services; lazily, so that none has to be up. */
export const connectServices = (addresses: Record<ServiceName, string>, options: ConnectOptions = {}): Services => {
  const clients = {
    identity: connect(IdentityService, addresses.identity, options),
    requests: connect(RequestsService, addresses.requests, options),
    approvals: connect(ApprovalsService, addresses.approvals, options),
    provisioner: connect(ProvisionerService, addresses.provisioner, options),
    audit: connect(AuditService, addresses.audit, options),
  };
  const operations = Object.fromEntries(
    serviceNames.map((name) => [name, connect(OperationsService, addresses[name], options)]),
  ) as Services['operations'];
  return {
    ...clients,
    operations,
    close: () => {
      for (const client of [...Object.values(clients), ...Object.values(operations)]) client.close();
    },
  };
};
