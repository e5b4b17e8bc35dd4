import { defineEntity, p } from '@mikro-orm/postgresql';
import type { Stage } from './approval-plan.ts';
import type { RequestStatus } from './request-status.ts';

const AccessRequestSchema = defineEntity({
  name: 'AccessRequest',
  tableName: 'access_request',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    requesterId: p.uuid(),
    /** Of a service account's request: the people who might have filed it as the account. Null: a person's. */
    custodianIds: p.json<string[]>().nullable(),
    resourceId: p.uuid(),
    /** The request whose access this one has last longer. */
    extendsRequestId: p.uuid().nullable(),
    role: p.text(),
    justification: p.text(),
    /** ISO 8601. */
    duration: p.text(),
    /** JSON text; empty: none. */
    parameters: p.text(),
    ticket: p.text(),
    status: p.text().$type<RequestStatus>(),
    requiredApprovals: p.integer(),
    /** The plan that policy gave it when it was filed. */
    stages: p.json<Stage[]>(),
    jobId: p.uuid().nullable(),
    grantId: p.uuid().nullable(),
    /** Retries heard of less failures heard of. */
    retryBalance: p.integer(),
    /** When the requester gave the access back; it ends some time later. */
    withdrawnAt: p.datetime().nullable(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** Somebody's wish for a role on a resource for a time. What provisioning tells of it is in `RequestProgress`. */
export class AccessRequest extends AccessRequestSchema.class {}
AccessRequestSchema.setClass(AccessRequest);

/** A request as it is shown. */
export type RequestView = Pick<
  AccessRequest,
  | 'id'
  | 'requesterId'
  | 'custodianIds'
  | 'resourceId'
  | 'extendsRequestId'
  | 'role'
  | 'justification'
  | 'duration'
  | 'parameters'
  | 'ticket'
  | 'status'
  | 'requiredApprovals'
  | 'stages'
  | 'jobId'
  | 'grantId'
  | 'version'
  | 'createdAt'
  | 'updatedAt'
>;

/** What policy looks at when somebody wants to see or change a request. */
export const attributesOf = ({ tenantId, requesterId, stages }: { tenantId: string; requesterId: string; stages: readonly Stage[] }) => ({
  tenantId,
  requesterId,
  stageRoles: [...new Set(stages.flatMap(({ roles }) => roles))],
  stageTeams: [...new Set(stages.map(({ teamId }) => teamId).filter(Boolean))],
});
