import type { AuditedChange } from '@accessops/events';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Money } from '../catalog/resource-type.ts';
import { moneyToProto } from '../to-proto.ts';
import type { RequestView } from './access-request.ts';
import { demandedAcr } from './approval-plan.ts';

/** What provisioning needs to know of the resource. */
interface Target {
  resourceKey: string;
  connector: string;
  /** JSON text. */
  config: string;
  pricePerHour: Money | null;
}

/** What is told when a request is approved, for `emit`: all that provisioning needs. */
export const approval = (request: RequestView, { resourceKey, connector, config, pricePerHour }: Target, actor?: AuditedChange['actor']) =>
  [
    RequestApprovedSchema,
    {
      requestId: request.id,
      requesterId: request.requesterId,
      resourceId: request.resourceId,
      resourceKey,
      role: request.role,
      duration: request.duration,
      connector,
      configJson: config,
      parametersJson: request.parameters,
      acr: demandedAcr(request.stages),
      extendsRequestId: request.extendsRequestId ?? '',
      pricePerHour: moneyToProto(pricePerHour),
    },
    request.id,
    {
      action: 'REQUEST_APPROVED',
      entityType: 'REQUEST',
      entityId: request.id,
      changes: { status: { before: 'PENDING', after: 'APPROVED' } },
      actor,
    },
  ] as const;
