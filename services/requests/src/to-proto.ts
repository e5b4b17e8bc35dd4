import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { RequestView } from './access-request/access-request.ts';
import { nobody, noTeam, type Resource } from './catalog/resource.ts';
import type { Money, ResourceType } from './catalog/resource-type.ts';

/** A price as contract and events show it; without one it is unset. */
export const moneyToProto = (money: Money | null | undefined) =>
  money ? { amount: BigInt(money.amount), currency: money.currency } : undefined;

/** A type as the contract shows it. */
export const typeToProto = (type: ResourceType) => ({
  id: type.id,
  key: type.key,
  name: type.name,
  connector: type.connector,
  roles: type.roles,
  parametersSchemaJson: type.parametersSchema,
  sensitivity: type.sensitivity,
  pii: type.pii,
  maxDuration: type.maxDuration,
  exclusive: type.exclusive,
  pricePerHour: moneyToProto(type.pricePerHour),
  configJson: type.config,
  version: type.version,
  createdAt: timestampFromDate(type.createdAt),
  updatedAt: timestampFromDate(type.updatedAt),
});

/** A resource as the contract shows it. */
export const resourceToProto = (resource: Resource) => ({
  id: resource.id,
  key: resource.key,
  name: resource.name,
  type: typeToProto(resource.type),
  owningTeamId: resource.owningTeamId === noTeam ? '' : resource.owningTeamId,
  ownerId: resource.ownerId === nobody ? '' : resource.ownerId,
  version: resource.version,
  createdAt: timestampFromDate(resource.createdAt),
  updatedAt: timestampFromDate(resource.updatedAt),
});

/** A request as the contract shows it. */
export const requestToProto = (request: RequestView) => ({
  id: request.id,
  status: request.status,
  requesterId: request.requesterId,
  custodianIds: request.custodianIds ?? [],
  resourceId: request.resourceId,
  extendsRequestId: request.extendsRequestId ?? '',
  role: request.role,
  justification: request.justification,
  duration: request.duration,
  parametersJson: request.parameters,
  ticket: request.ticket,
  requiredApprovals: request.requiredApprovals,
  stages: request.stages,
  jobId: request.jobId ?? '',
  grantId: request.grantId ?? '',
  version: request.version,
  createdAt: timestampFromDate(request.createdAt),
  updatedAt: timestampFromDate(request.updatedAt),
});
